import {
  addDays,
  decimalSign,
  lineAmount,
  minorDigits,
  subtractDecimals,
  sumDecimals,
  TerminalError,
  withFractionDigits,
  type AgreedDelivery,
  type AgreedLeg,
  type CalendarDate,
  type Charge,
  type DecimalText,
  type Line,
  type Terms,
} from '@v402/domain';

/** The amount is computed; `id` is the line's number and `unit` is `C62` (piece) if absent. */
export type LineDraft = Omit<Line, 'id' | 'unit' | 'amount'> & Partial<Pick<Line, 'id' | 'unit'>>;

/** `id` is `c1`, `c2` … if absent. */
export type ChargeDraft = Omit<Charge, 'id'> & Partial<Pick<Charge, 'id'>>;

/** `id` is `d1`, `d2` … if absent. One delivery may leave its items out: it carries what the others do not. */
export type DeliveryDraft = Omit<AgreedDelivery, 'id' | 'items'> & Partial<Pick<AgreedDelivery, 'id' | 'items'>>;

/**
 * `id` is `p1`, `p2` … and `days` 0 if absent. The amount is given, or computed as a percentage of the total, rounded
 * half-even; one leg may leave out both: it pays the rest.
 */
export type LegDraft = Omit<AgreedLeg, 'id' | 'days' | 'amount'> &
  Partial<Pick<AgreedLeg, 'id' | 'days' | 'amount'>> & { readonly percent?: DecimalText };

export interface TermsDraft {
  readonly currency?: string;
  readonly lines?: readonly LineDraft[];
  readonly charges?: readonly ChargeDraft[];
  readonly delivery?: Omit<Terms['delivery'], 'schedule'> & { readonly schedule?: readonly DeliveryDraft[] };
  readonly payment?: readonly LegDraft[];
  readonly dispute?: Terms['dispute'];
}

const DEFAULT_LINES: readonly LineDraft[] = [
  { sku: 'BOLT-M8', description: 'Bolt M8', quantity: '5000', unitPrice: '12.34', priceBasis: '100' },
];
const DEFAULT_LEGS: readonly LegDraft[] = [{ rail: 'invoice', trigger: 'delivered', days: 30 }];
const DEFAULT_DISPUTE: Terms['dispute'] = { windowDays: 14, method: 'arbitration' };

/**
 * Completes terms: the amounts of the lines, their total, the deliveries' items and the legs' amounts.
 * What the draft leaves out altogether is one ordinary sale, delivered within two weeks and paid on invoice.
 */
export function buildTerms(draft: TermsDraft, agreedOn: CalendarDate): Terms {
  const currency = draft.currency ?? 'EUR';
  const digits = minorDigits(currency);
  if (digits === undefined) throw new TerminalError('draft_invalid', 'The currency is not in the ISO 4217 table.');
  const lines = (draft.lines ?? DEFAULT_LINES).map((line, index) => completeLine(line, index, digits));
  const charges = draft.charges?.map((charge, index) => ({ id: `c${index + 1}`, ...charge }));
  const priced = sumDecimals([...lines, ...(charges ?? [])].map(({ amount }) => amount));
  const total = withFractionDigits(priced, digits);
  const { schedule = [{ notBefore: addDays(agreedOn, 10), notAfter: addDays(agreedOn, 14) }], ...place } =
    draft.delivery ?? {};
  const legs = draft.payment ?? (decimalSign(total) === 0 ? [] : DEFAULT_LEGS);
  return {
    currency,
    lines,
    ...(charges === undefined ? {} : { charges }),
    total,
    delivery: { ...place, schedule: completeDeliveries(schedule, lines) },
    payment: { schedule: completeLegs(legs, total, digits) },
    dispute: draft.dispute ?? DEFAULT_DISPUTE,
  };
}

function completeLine(draft: LineDraft, index: number, digits: number): Line {
  const amount = lineAmount(draft, digits);
  if (amount === undefined) throw new TerminalError('draft_invalid', 'A price basis of zero has no amount.');
  return { id: String(index + 1), unit: 'C62', ...draft, amount };
}

function completeDeliveries(drafts: readonly DeliveryDraft[], lines: readonly Line[]): AgreedDelivery[] {
  refuseSecond(drafts.filter(({ items }) => items === undefined));
  const given = drafts.flatMap(({ items = [] }) => items);
  const restOf = ({ id, quantity }: Line): DecimalText =>
    subtractDecimals(quantity, sumDecimals(given.filter(({ line }) => line === id).map((item) => item.quantity)));
  const rest = lines.map((line) => ({ line: line.id, quantity: restOf(line) }));
  const items = rest.filter(({ quantity }) => decimalSign(quantity) > 0);
  return drafts.map((draft, index) => ({ id: `d${index + 1}`, items, ...draft }));
}

function completeLegs(drafts: readonly LegDraft[], total: DecimalText, digits: number): AgreedLeg[] {
  const amounts = drafts.map(({ amount, percent }) => amount ?? (percent && shareOf(total, percent, digits)));
  refuseSecond(amounts.filter((amount) => amount === undefined));
  const given = sumDecimals(amounts.filter((amount) => amount !== undefined));
  const rest = withFractionDigits(subtractDecimals(total, given), digits);
  return drafts.map(({ id, rail, trigger, days = 0, x402 }, index) => ({
    id: id ?? `p${index + 1}`,
    amount: amounts[index] ?? rest,
    rail,
    trigger,
    days,
    ...(x402 === undefined ? {} : { x402 }),
  }));
}

function shareOf(total: DecimalText, percent: DecimalText, digits: number): DecimalText | undefined {
  return lineAmount({ quantity: total, unitPrice: percent, priceBasis: '100' }, digits);
}

function refuseSecond(open: readonly unknown[]): void {
  if (open.length > 1)
    throw new TerminalError('draft_invalid', 'Only one delivery, and only one leg, can take the rest.');
}
