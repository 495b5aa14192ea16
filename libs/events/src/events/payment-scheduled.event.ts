import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { legMembers } from '../members/payment.js';

export const paymentScheduled = defineEvent({
  name: 'payment.scheduled',
  version: 1,
  topic: 'payments',
  description: 'The trigger of a payment leg has fired, so its due date is known. Nothing is to be paid yet.',
  actor: 'Nobody has to act. Treasury may plan liquidity with it.',
  schema: z.strictObject(legMembers),
});
