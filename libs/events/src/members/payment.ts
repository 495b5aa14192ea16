import { z } from 'zod';
import { calendarDate, instant, money, settlementMembers, side } from './common.js';
import { rail, triggerDays, triggerKind } from './terms.js';

/** The members with which every event about a payment leg begins. */
export const legMembers = {
  ...settlementMembers,
  side,
  role: z.enum(['payer', 'payee']).meta({ description: 'What this side is in the payment: the buyer pays.' }),
  legId: z.string().min(1).meta({ description: 'The id of the leg in the contract.' }),
  legNumber: z.int().min(1).max(100).meta({ description: 'The place of the leg in the agreed schedule, from 1.' }),
  amount: money,
  rail,
  trigger: z
    .strictObject({
      kind: triggerKind,
      days: triggerDays,
      firedAt: instant.meta({ description: 'The moment that the days are counted from.' }),
    })
    .meta({ description: 'What made the leg due.' }),
  dueDate: calendarDate,
};
