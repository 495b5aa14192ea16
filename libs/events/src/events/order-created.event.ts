import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { orderMembers, placedOrder } from '../members/order.js';

export const orderCreated = defineEvent({
  name: 'order.created',
  version: 1,
  topic: 'settlement',
  description: 'The order stands in the order system: created now, or found there after an answer got lost.',
  actor: 'Nobody has to act.',
  schema: z.strictObject({ ...orderMembers, ...placedOrder }),
});
