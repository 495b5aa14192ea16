import { REFUSAL_CODES } from '@v402/domain';
import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { arrival, contractId, digest, jsonPointer, kafkaCoordinates } from '../members/common.js';

export const contractRejected = defineEvent({
  name: 'contract.rejected',
  version: 1,
  topic: 'rejections',
  description:
    'A message was refused and never becomes a settlement. Once per (`rawDigest`, `code`), however often it is delivered. Nothing in it is trusted: `contractId` and `negotiationId` are what the message claims, where it could be read that far.',
  actor: 'The producer mends the cause and sends a corrected contract.',
  schema: z.strictObject({
    code: z
      .enum(REFUSAL_CODES)
      .meta({ description: 'The first refusal code that applies (contract format, section 7).' }),
    where: jsonPointer.optional(),
    rawDigest: digest.meta({ description: 'SHA-256 of the message’s bytes.' }),
    size: z.int().min(0).meta({ description: 'Of the message, in bytes.' }),
    kafka: kafkaCoordinates,
    arrival,
    contractId: contractId.optional(),
    negotiationId: z.string().optional(),
  }),
});
