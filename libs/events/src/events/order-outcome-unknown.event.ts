import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { code, instant } from '../members/common.js';
import { orderMembers } from '../members/order.js';

export const orderOutcomeUnknown = defineEvent({
  name: 'order.outcome_unknown',
  version: 1,
  topic: 'settlement',
  description:
    'The order system was asked and gave no answer that settles whether the order exists. It is looked up by its reference once a late effect is no longer possible.',
  actor: 'Nobody has to act. Do not enter the order by hand: it may exist.',
  schema: z.strictObject({
    ...orderMembers,
    code: code.meta({ description: 'What went wrong, for example a time-out.' }),
    lookUpNotBefore: instant.meta({ description: 'The earliest moment of the look-up.' }),
  }),
});
