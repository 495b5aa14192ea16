import type { ChargeDraft, DeliveryDraft, LegDraft, LineDraft, TermsDraft } from '@v402/contract';
import {
  addDays,
  lineAmount,
  minorDigits,
  RAILS,
  subtractDecimals,
  sumDecimals,
  type CalendarDate,
  type DecimalText,
  type Rail,
  type Trigger,
} from '@v402/domain';
import type { Company } from './companies.js';
import type { Random } from './random.js';

/** What is traded: prices in hundredths, quantities in whole units. */
interface Good {
  readonly sku: string;
  readonly description?: string;
  readonly unit: string;
  readonly priceBasis?: DecimalText;
  readonly hundredths: readonly [min: number, max: number];
  readonly quantity: readonly [min: number, max: number];
}

const GOODS: readonly Good[] = [
  {
    sku: 'BOLT-M8',
    description: 'Bolt M8 × 40, A2-70',
    unit: 'C62',
    priceBasis: '100',
    hundredths: [900, 1_900],
    quantity: [2_000, 20_000],
  },
  {
    sku: 'BRG-6204',
    description: 'Deep groove ball bearing 6204',
    unit: 'C62',
    hundredths: [310, 890],
    quantity: [100, 2_000],
  },
  {
    sku: 'CU-CABLE-16',
    description: 'Copper cable 16 mm²',
    unit: 'MTR',
    hundredths: [420, 780],
    quantity: [200, 5_000],
  },
  {
    sku: 'STEEL-S235',
    description: 'Hot-rolled coil S235JR',
    unit: 'KGM',
    priceBasis: '1000',
    hundredths: [58_000, 79_000],
    quantity: [5_000, 40_000],
  },
  { sku: 'OIL-ISO46', unit: 'LTR', hundredths: [180, 460], quantity: [200, 4_000] },
  { sku: 'VALVE-DN50', description: 'Ball valve DN 50', unit: 'C62', hundredths: [4_500, 12_900], quantity: [12, 300] },
];

/** A service has no address to ship to. */
const SERVICE: Good = {
  sku: 'CALIBRATION',
  description: 'Calibration on site',
  unit: 'HUR',
  hundredths: [9_500, 16_000],
  quantity: [8, 120],
};

const TAXES = [
  { rate: '19', category: 'S' },
  { rate: '7.7', category: 'S' },
  { rate: '0', category: 'AE' },
  { rate: '0', category: 'G' },
] as const;

/** A share in percent of the total; null: what the other legs leave. */
type Leg = readonly [percent: DecimalText | null, trigger: Trigger, days: number];

/** Due at once or a month and more ahead: no due time lies so near that midnight could change what is expected. */
const PAYMENT_PLANS: readonly (readonly Leg[])[] = [
  [[null, 'delivered', 30]],
  [[null, 'agreed', 0]],
  [[null, 'ordered', 0]],
  [[null, 'agreed', 30]],
  [
    ['30', 'agreed', 0],
    [null, 'delivered', 30],
  ],
  [
    ['20', 'ordered', 0],
    ['50', 'shipped', 0],
    [null, 'delivered', 60],
  ],
  [
    ['33.3', 'agreed', 0],
    ['33.3', 'ordered', 45],
    [null, 'shipped', 14],
  ],
];

const INCOTERMS = ['EXW', 'FCA', 'DAP', 'DDP', 'CIP'] as const;

const X402 = {
  network: 'eip155:8453',
  asset: '0x833589fcd6edb6e08f4c7c32d4f71b54bda02913',
  payTo: '0x402402402402402402402402402402402402abcd',
} as const;

/** Terms of an ordinary sale: one to four lines, perhaps charges, one to three deliveries, one to three payments. */
export function draftTerms(random: Random, buyer: Company, seller: Company, agreedOn: CalendarDate): TermsDraft {
  const currency = random.pick([seller.currency, seller.currency, buyer.currency, 'EUR', 'USD']);
  const isService = random.chance(10);
  const goods = isService ? [SERVICE] : random.sample(GOODS, random.int(1, 4));
  const lines = goods.map((good, index) => draftLine(random, good, index));
  return {
    currency,
    lines,
    ...(random.chance(60) && { charges: draftCharges(random, lines, currency) }),
    delivery: isService ? { schedule: [nearWindow(random, agreedOn)] } : draftDelivery(random, lines, buyer, agreedOn),
    payment: random.pick(PAYMENT_PLANS).map((leg) => draftLeg(random, leg, currency)),
    ...(random.chance(40) && {
      dispute: {
        windowDays: random.int(7, 60),
        method: 'arbitration',
        venue: `Chamber of Commerce ${seller.address.country}`,
      },
    }),
  };
}

function draftLine(random: Random, good: Good, index: number): LineDraft & { readonly id: string } {
  const { sku, description, unit, priceBasis, hundredths, quantity } = good;
  const price = random.int(...hundredths);
  return {
    id: String((index + 1) * 10),
    sku,
    ...(description !== undefined && { description }),
    quantity: String(random.int(...quantity)),
    unit,
    unitPrice: `${Math.trunc(price / 100)}.${String(price % 100).padStart(2, '0')}`,
    ...(priceBasis !== undefined && { priceBasis }),
  };
}

function draftCharges(random: Random, lines: readonly LineDraft[], currency: string): readonly ChargeDraft[] {
  const digits = minorDigits(currency) ?? 0;
  const goods = sumDecimals(lines.map((line) => lineAmount(line, digits) ?? '0'));
  const share = (percent: DecimalText): DecimalText =>
    lineAmount({ quantity: goods, unitPrice: percent, priceBasis: '100' }, digits) ?? '0';
  const tax = random.pick(TAXES);
  return [
    ...(random.chance(60) ? [{ type: 'freight' as const, amount: share('2.5') }] : []),
    ...(random.chance(50) ? [{ type: 'tax' as const, amount: share(tax.rate), ...tax }] : []),
    ...(random.chance(40) ? [{ type: 'discount' as const, amount: subtractDecimals('0', share('3')) }] : []),
  ];
}

function draftDelivery(
  random: Random,
  lines: readonly (LineDraft & { readonly id: string })[],
  buyer: Company,
  agreedOn: CalendarDate,
): NonNullable<TermsDraft['delivery']> {
  const { name, ...address } = buyer.address;
  const windows = [nearWindow(random, agreedOn), farWindow(random, agreedOn, 60), farWindow(random, agreedOn, 120)];
  const schedule = random.chance(20) ? windows.slice(1, 2) : windows.slice(0, random.int(1, windows.length));
  return {
    ...(random.chance(70) && { incoterm: random.pick(INCOTERMS), place: address.city ?? name }),
    shipTo: { name, ...address },
    // Every delivery but the last takes a third of each line; the last one takes what is left.
    schedule: schedule.map((window, index) =>
      index === schedule.length - 1
        ? window
        : { ...window, items: lines.map(({ id, quantity }) => ({ line: id, quantity: thirdOf(quantity) })) },
    ),
  };
}

function thirdOf(quantity: DecimalText): DecimalText {
  return String(Math.floor(Number(quantity) / 3));
}

/** Asked for at once: well within two weeks. */
function nearWindow(random: Random, agreedOn: CalendarDate): DeliveryDraft {
  const notBefore = addDays(agreedOn, random.int(3, 9));
  return { notBefore, notAfter: addDays(notBefore, 4) };
}

/** Not asked for yet. */
function farWindow(random: Random, agreedOn: CalendarDate, days: number): DeliveryDraft {
  const notBefore = addDays(agreedOn, days + random.int(0, 20));
  return { notBefore, notAfter: addDays(notBefore, 7) };
}

function draftLeg(random: Random, [percent, trigger, days]: Leg, currency: string): LegDraft {
  const rail = random.pick(RAILS.filter((each) => isRailOf(each, currency)));
  return { ...(percent !== null && { percent }), rail, trigger, days, ...(rail === 'x402' && { x402: X402 }) };
}

/** SEPA moves euros and ACH US dollars. */
function isRailOf(rail: Rail, currency: string): boolean {
  if (rail === 'sepa') return currency === 'EUR';
  if (rail === 'ach') return currency === 'USD';
  return true;
}
