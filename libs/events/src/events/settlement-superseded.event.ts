import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { contractId, settlementMembers } from '../members/common.js';

export const settlementSuperseded = defineEvent({
  name: 'settlement.superseded',
  version: 1,
  topic: 'settlement',
  description:
    'Another contract of the deal has taken this one’s place: an amendment, a contract that an operator chose between two that conflict, or, for an amendment that an operator refused, its base again. What was asked for already stays asked for; nothing more starts under this contractId.',
  actor:
    'Nobody has to act. Drop what was planned for this contractId and not asked for yet; the other contract has events of its own.',
  schema: z.strictObject({
    ...settlementMembers,
    supersededBy: contractId.meta({ description: 'The contractId of the contract that stands instead.' }),
  }),
});
