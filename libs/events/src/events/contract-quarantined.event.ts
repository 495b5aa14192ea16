import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { arrival, contractId, digest, kafkaCoordinates, settlementMembers } from '../members/common.js';

const members = {
  held: z.boolean().meta({ description: 'Whether what the deal has not started yet is on hold because of it.' }),
  rawDigest: digest.meta({ description: 'SHA-256 of the message’s bytes.' }),
  kafka: kafkaCoordinates,
  arrival,
};

const negotiationConflict = z.strictObject({
  ...settlementMembers,
  code: z.literal('negotiation_conflict'),
  conflictsWith: contractId.meta({ description: 'The current contract of the same negotiation and parties.' }),
  ...members,
});

const undecidableMessage = z.strictObject({
  contractId: contractId.optional(),
  negotiationId: z.string().optional(),
  code: z.literal('undecidable_message'),
  ...members,
});

export const contractQuarantined = defineEvent({
  name: 'contract.quarantined',
  version: 1,
  topic: 'rejections',
  description:
    'Set aside with its evidence, not processed. `negotiation_conflict`: a second, validly signed contract for the same negotiation. `undecidable_message`: the message could not be decided at all.',
  actor: 'An operator of the handler looks at the evidence and decides.',
  schema: z.discriminatedUnion('code', [negotiationConflict, undecidableMessage]),
});
