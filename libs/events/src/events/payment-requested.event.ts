import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { attempt, calendarDate, idempotencyKeyMember, money, party, PERSONAL } from '../members/common.js';
import { orderReference } from '../members/order.js';
import { legMembers } from '../members/payment.js';
import { x402Target } from '../members/terms.js';

const account = z
  .strictObject({
    scheme: z.enum(['iban', 'other']),
    identification: z.string().meta(PERSONAL),
    agent: z.string().optional().meta({ description: 'BIC or clearing code of the account’s bank.' }),
  })
  .meta({ id: 'Account' });

const creditor = party.extend({
  account: account.optional().meta({
    description: 'From the payer’s approved master data, never from a message. Absent on rails that need none.',
  }),
});

export const paymentRequested = defineEvent({
  name: 'payment.requested',
  version: 1,
  topic: 'payments',
  description:
    'A payment leg is due, less the lead time of its rail: act now. The members follow ISO 20022 (pain.001). For the payee it says what to expect.',
  actor:
    'Where `role` is payer, the payment system pays, once per `idempotencyKey`. Where it is payee, cash application expects it.',
  schema: z.strictObject({
    ...legMembers,
    attempt,
    endToEndId: z.string().min(1).max(35).meta({
      description: 'Hand it on unchanged; it comes back on the statement. The same for payer and payee.',
    }),
    instructedAmount: money,
    requestedExecutionDate: calendarDate,
    debtor: party,
    creditor: creditor.meta({ id: 'Creditor' }),
    remittanceInformation: z.string().min(1).max(140).meta({ description: 'Unstructured, for the payee’s books.' }),
    x402: x402Target.optional(),
    orderReference: orderReference.optional(),
    idempotencyKey: idempotencyKeyMember,
  }),
});
