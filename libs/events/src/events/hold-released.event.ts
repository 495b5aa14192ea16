import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { settlementMembers } from '../members/common.js';

export const holdReleased = defineEvent({
  name: 'hold.released',
  version: 1,
  topic: 'settlement',
  description:
    'An operator has decided what a hold was about. The deal’s work goes on when no other hold of it is open. `release`: what was held stands. `reject`: it does not, and what stood before goes on. `redrive`: it is tried again.',
  actor: 'Nobody has to act.',
  schema: z.strictObject({
    ...settlementMembers,
    holdId: z.string().min(1).meta({ description: 'Names the hold, as it was placed.' }),
    reason: z
      .enum([
        'equivocation',
        'amendment_after_start',
        'order_rejected',
        'order_mismatch',
        'order_unresolved',
        'order_retries_exhausted',
      ])
      .meta({ description: 'Why the hold was placed.' }),
    resolution: z.enum(['release', 'reject', 'redrive']).meta({ description: 'What the operator decided.' }),
  }),
});
