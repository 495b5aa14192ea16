import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { contractId, settlementMembers } from '../members/common.js';

export const settlementSuperseded = defineEvent({
  name: 'settlement.superseded',
  version: 1,
  topic: 'settlement',
  description:
    'Both parties signed an amendment before anything of this settlement had started. Nothing more happens under this contractId.',
  actor: 'Nobody has to act. Drop what was planned for this contractId; the amendment has events of its own.',
  schema: z.strictObject({
    ...settlementMembers,
    supersededBy: contractId.meta({ description: 'The contractId of the amendment.' }),
  }),
});
