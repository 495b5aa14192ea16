import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { arrival, contractId, digest, instant, kafkaCoordinates, settlementMembers, side } from '../members/common.js';
import { reference } from '../members/order.js';
import { terms } from '../members/terms.js';

const key = z.strictObject({
  role: side,
  suite: z.enum(['eip712', 'jws']),
  kid: z.string().meta({ description: 'The key’s id in the trust registry, never the key.' }),
});

const evidence = z.strictObject({
  kafka: kafkaCoordinates,
  arrival,
  rawDigest: digest.meta({ description: 'SHA-256 of the message’s bytes.' }),
  registryDigest: digest.meta({ description: 'SHA-256 of the trust registry that the decision was made with.' }),
  keys: z.array(key).meta({ description: 'Who signed, with which registered key.' }),
});

export const settlementAccepted = defineEvent({
  name: 'settlement.accepted',
  version: 1,
  topic: 'settlement',
  description:
    'A signed contract passed every check and is the current one of its deal. Carries the whole terms; later events of the settlement refer to them.',
  actor: 'Nobody has to act. Archives and analytics take the terms from here.',
  schema: z.strictObject({
    ...settlementMembers,
    sides: z.array(side).min(1).meta({ description: 'The sides that this handler works for.' }),
    supersedes: contractId.optional().meta({ description: 'The contract that this one amends.' }),
    reference,
    agreedAt: instant,
    expiresAt: instant,
    terms,
    extensions: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'The signed extensions of the contract, passed on unread.', 'x-personal-data': true }),
    evidence: evidence.meta({ description: 'What the decision was based on.' }),
  }),
});
