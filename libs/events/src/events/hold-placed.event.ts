import { z } from 'zod';
import { defineEvent } from '../definition.js';
import { code, contractId, digest, kafkaCoordinates, settlementMembers, side } from '../members/common.js';

const members = {
  ...settlementMembers,
  holdId: z.string().min(1).meta({ description: 'Names this hold; a deal may have several.' }),
};

const equivocation = z.strictObject({
  ...members,
  reason: z.literal('equivocation'),
  evidence: z.strictObject({ conflictingContractId: contractId, rawDigest: digest, kafka: kafkaCoordinates }),
});

const amendmentAfterStart = z.strictObject({
  ...members,
  reason: z.literal('amendment_after_start'),
  evidence: z.strictObject({ baseContractId: contractId, amendmentContractId: contractId }),
});

const orderRejected = z.strictObject({
  ...members,
  reason: z.literal('order_rejected'),
  evidence: z.strictObject({ side, code }),
});

const orderMismatch = z.strictObject({
  ...members,
  reason: z.literal('order_mismatch'),
  evidence: z.strictObject({ side, code }),
});

const orderUnresolved = z.strictObject({
  ...members,
  reason: z.literal('order_unresolved'),
  evidence: z.strictObject({ side, code }),
});

const orderRetriesExhausted = z.strictObject({
  ...members,
  reason: z.literal('order_retries_exhausted'),
  evidence: z.strictObject({ side, code }),
});

export const holdPlaced = defineEvent({
  name: 'hold.placed',
  version: 1,
  topic: 'settlement',
  description:
    'What the deal has not started yet waits. `equivocation`: a second, different contract was signed for the same negotiation. `amendment_after_start`: an amendment came when work had begun. `order_rejected`: the order system refused the order. `order_mismatch`: the order system holds another order under the contract’s reference. `order_unresolved`: it cannot be found out whether the order exists. `order_retries_exhausted`: the order system has taken the order none of the times that it was asked, and holds none.',
  actor: 'An operator of the handler looks at the evidence and decides.',
  schema: z.discriminatedUnion('reason', [
    equivocation,
    amendmentAfterStart,
    orderRejected,
    orderMismatch,
    orderUnresolved,
    orderRetriesExhausted,
  ]),
});
