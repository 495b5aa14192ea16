import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { contractId } from '../members/common.js';
import { orderIdentity, placedOrder } from '../members/order.js';

export const orderChanged = defineEvent({
  name: 'order.changed',
  version: 1,
  topic: 'settlement',
  description:
    'An order that was created for an earlier contract of the deal now stands for this amendment: an operator has stated that it was changed in the order system. No second order exists.',
  actor: 'Nobody has to act. What belonged to the earlier contract’s order belongs to this contract now.',
  schema: z.strictObject({
    ...orderIdentity,
    ...placedOrder,
    placedFor: contractId.meta({ description: 'The contract that the order was created for.' }),
  }),
});
