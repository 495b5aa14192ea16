import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { code, jsonPointer } from '../members/common.js';
import { orderMembers } from '../members/order.js';

export const orderRejected = defineEvent({
  name: 'order.rejected',
  version: 1,
  topic: 'settlement',
  description:
    'The order system refused the order, or could not hold it as agreed. There is no order. What the deal has not started is put on hold.',
  actor: 'An operator mends the cause in the order system, or settles the matter with the other party.',
  schema: z.strictObject({
    ...orderMembers,
    code,
    issues: z
      .array(z.strictObject({ code, where: jsonPointer.optional() }))
      .meta({ description: 'What in the contract the order system could not take; may be empty.' }),
  }),
});
