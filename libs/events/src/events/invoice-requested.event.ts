import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { attempt, idempotencyKeyMember } from '../members/common.js';
import { orderReference } from '../members/order.js';
import { legMembers } from '../members/payment.js';
import { charges, lines } from '../members/terms.js';

export const invoiceRequested = defineEvent({
  name: 'invoice.requested',
  version: 1,
  topic: 'payments',
  description:
    'A leg on the rail `invoice` has been triggered, on the seller’s side. `amount` is this leg’s share; `lines` and `charges` are those of the whole contract, for reference.',
  actor: 'The seller’s invoicing issues the invoice, once per `idempotencyKey`.',
  schema: z.strictObject({
    ...legMembers,
    side: z.literal('seller'),
    role: z.literal('payee'),
    rail: z.literal('invoice'),
    attempt,
    invoiceReference: z
      .string()
      .min(1)
      .max(35)
      .meta({ description: 'Print it on the invoice: the payer pays with it.' }),
    lines,
    charges: charges.optional(),
    orderReference: orderReference.optional(),
    idempotencyKey: idempotencyKeyMember,
  }),
});
