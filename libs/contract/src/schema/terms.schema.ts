import {
  CHARGE_TYPES,
  decimalSign,
  RAILS,
  TRIGGERS,
  type AgreedDelivery,
  type AgreedLeg,
  type Charge,
  type Line,
  type Terms,
} from '@v402/domain';
import { z } from 'zod';
import {
  calendarDate,
  chainId,
  countryCode,
  currency,
  decimal,
  integer,
  list,
  nonNegativeDecimal,
  percentage,
  plainText,
  positiveDecimal,
  taxCategory,
  contractText,
  unitCode,
} from './fields.js';

/** Incoterms 2020. */
const INCOTERMS = ['EXW', 'FCA', 'FAS', 'FOB', 'CFR', 'CIF', 'CPT', 'CIP', 'DAP', 'DPU', 'DDP'] as const;

/** Names the later of two items with an equal `member`; ids may well be those of an object's prototype. */
function unique<Member extends string>(
  member: Member,
): (items: readonly Readonly<Record<Member, string>>[], ctx: z.core.$RefinementCtx) => void {
  return (items, ctx) => {
    const seen = new Set<string>();
    items.forEach((item, index) => {
      if (seen.has(item[member])) ctx.addIssue({ code: 'custom', path: [index, member] });
      seen.add(item[member]);
    });
  };
}

const line = z.strictObject({
  id: plainText,
  sku: plainText,
  description: plainText.exactOptional(),
  quantity: positiveDecimal,
  unit: unitCode,
  unitPrice: nonNegativeDecimal,
  priceBasis: nonNegativeDecimal.exactOptional(),
  amount: nonNegativeDecimal,
}) satisfies z.ZodType<Line>;

const charge = z
  .strictObject({
    id: plainText,
    type: z.enum(CHARGE_TYPES),
    amount: decimal,
    rate: percentage.exactOptional(),
    category: taxCategory.exactOptional(),
  })
  .superRefine((value, ctx) => {
    const isDiscount = value.type === 'discount';
    if (isDiscount !== decimalSign(value.amount) < 0) ctx.addIssue({ code: 'custom', path: ['amount'] });
    if (value.type === 'tax') return;
    if (value.rate !== undefined) ctx.addIssue({ code: 'custom', path: ['rate'] });
    if (value.category !== undefined) ctx.addIssue({ code: 'custom', path: ['category'] });
  }) satisfies z.ZodType<Charge>;

const shipTo = z.strictObject({
  name: plainText,
  street: plainText.exactOptional(),
  city: plainText.exactOptional(),
  postalCode: plainText.exactOptional(),
  region: plainText.exactOptional(),
  country: countryCode,
});

const agreedDelivery = z
  .strictObject({
    id: plainText,
    notBefore: calendarDate,
    notAfter: calendarDate,
    items: list(z.strictObject({ line: plainText, quantity: positiveDecimal }), 1, 1000).superRefine(unique('line')),
  })
  .superRefine((value, ctx) => {
    // Calendar dates of one form compare as text.
    if (value.notAfter < value.notBefore) ctx.addIssue({ code: 'custom', path: ['notAfter'] });
  }) satisfies z.ZodType<AgreedDelivery>;

const delivery = z
  .strictObject({
    incoterm: z.enum(INCOTERMS).exactOptional(),
    place: plainText.exactOptional(),
    shipTo: shipTo.exactOptional(),
    schedule: list(agreedDelivery, 1, 1000).superRefine(unique('id')),
  })
  .superRefine((value, ctx) => {
    if ((value.incoterm === undefined) === (value.place === undefined)) return;
    ctx.addIssue({ code: 'custom', path: [value.place === undefined ? 'place' : 'incoterm'] });
  });

const agreedLeg = z
  .strictObject({
    id: plainText,
    amount: positiveDecimal,
    rail: z.enum(RAILS),
    trigger: z.enum(TRIGGERS),
    days: integer(0, 3650),
    x402: z
      .strictObject({ network: chainId, asset: contractText(1, 128), payTo: contractText(1, 128) })
      .exactOptional(),
  })
  .superRefine((value, ctx) => {
    if ((value.rail === 'x402') !== (value.x402 !== undefined)) ctx.addIssue({ code: 'custom', path: ['x402'] });
  }) satisfies z.ZodType<AgreedLeg>;

export const termsSchema = z
  .strictObject({
    currency,
    lines: list(line, 1, 1000).superRefine(unique('id')),
    charges: list(charge, 0, 100).superRefine(unique('id')).exactOptional(),
    total: nonNegativeDecimal,
    delivery,
    payment: z.strictObject({ schedule: list(agreedLeg, 0, 100).superRefine(unique('id')) }),
    dispute: z.strictObject({
      windowDays: integer(0, 3650),
      method: contractText(1, 64),
      venue: plainText.exactOptional(),
    }),
  })
  .superRefine((value, ctx) => {
    const isFree = decimalSign(value.total) === 0;
    if (isFree !== (value.payment.schedule.length === 0))
      ctx.addIssue({ code: 'custom', path: ['payment', 'schedule'] });
  }) satisfies z.ZodType<Terms>;
