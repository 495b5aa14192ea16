import { sha256Hex, type SettlementEnvelope } from '@v402/contract';
import type { ContractId, DecimalText, Side } from '@v402/domain';
import type { GoodKey } from './agents.js';
import { bytesOf, contractIdOf, sign, type Deal } from './deal.js';
import { eventsOfContract, servedSides, type ExpectedEvent } from './expected-events.js';
import type { FaultCode, FaultyMessage } from './faults.js';
import { HANDLING, type World } from './world.js';

/** An order that must stand in the order system, exactly once. */
export interface ExpectedOrder {
  readonly contractId: ContractId;
  readonly side: Side;
  readonly total: DecimalText;
  readonly currency: string;
}

/** What must become of a message. */
export type ExpectedOutcome =
  | { readonly kind: 'accepted'; readonly contractId: ContractId; readonly orders: readonly ExpectedOrder[] }
  | { readonly kind: 'duplicate'; readonly contractId: ContractId }
  | { readonly kind: 'rejected'; readonly code: FaultCode; readonly rawDigest: string }
  | { readonly kind: 'quarantined'; readonly contractId: ContractId; readonly conflictsWith: ContractId };

/** A record of the contracts topic, with what must come of it. */
export interface SimulatedMessage {
  /** The Kafka key: the negotiationId of an honest producer. */
  readonly key: string;
  /** Null is a tombstone. */
  readonly value: Uint8Array | null;
  readonly outcome: ExpectedOutcome;
  /** What it adds to the output topics; nothing where it only repeats an earlier message. */
  readonly events: readonly ExpectedEvent[];
}

/** A contract whose deal goes on as agreed. */
export function agreement(deal: Deal, world: World): SimulatedMessage {
  const { contract } = deal;
  const contractId = contractIdOf(contract);
  const { total, currency } = contract.terms;
  const orders = servedSides(HANDLING, contract).map((side) => ({ contractId, side, total, currency }));
  return {
    key: contract.negotiationId,
    value: bytesOf(sign(deal)),
    outcome: { kind: 'accepted', contractId, orders },
    events: eventsOfContract(contract, contractId, HANDLING, world.now),
  };
}

/** Other bytes of one and the same contract; none of them may have any effect. */
const REPETITIONS: readonly ((envelope: SettlementEnvelope, deal: Deal) => Uint8Array)[] = [
  (envelope) => bytesOf(envelope),
  (envelope) => Buffer.from(JSON.stringify(reversed(envelope), null, 2), 'utf8'),
  (_, deal) =>
    bytesOf(sign({ ...deal, keys: { buyer: otherKey(deal.keys.buyer), seller: otherKey(deal.keys.seller) } })),
  // Nobody looks at the signatures of a contract that was accepted before.
  ({ contract }) => bytesOf({ contract, signatures: [] }),
];

/** The same contract once more; `variant` chooses how it is written. */
export function redelivery(deal: Deal, variant: number): SimulatedMessage {
  const write = REPETITIONS[variant % REPETITIONS.length] ?? bytesOf;
  return {
    key: deal.contract.negotiationId,
    value: write(sign(deal), deal),
    outcome: { kind: 'duplicate', contractId: contractIdOf(deal.contract) },
    events: [],
  };
}

function otherKey(key: GoodKey): GoodKey {
  return key === 'EdDSA' ? 'ES256' : 'EdDSA';
}

/** The same JSON value with the members of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]): [string, unknown] => [name, reversed(member)])
      .reverse(),
  );
}

export function refusal({ key, value, contract }: FaultyMessage, code: FaultCode): SimulatedMessage {
  const rawDigest = sha256Hex(value ?? new Uint8Array());
  const subject = contract === undefined ? rawDigest : contractIdOf(contract);
  return {
    key,
    value,
    outcome: { kind: 'rejected', code, rawDigest },
    events: [{ type: 'org.v402.contract.rejected.v1', subject, about: `${rawDigest}:${code}` }],
  };
}

/**
 * Another contract that both parties signed for the negotiation of `base`.
 * @param rival of the same negotiation and parties as `base`; if it has expired, it must not hold the deal up
 */
export function equivocation(base: Deal, rival: Deal, isExpired: boolean): SimulatedMessage {
  const contractId = contractIdOf(rival.contract);
  const conflictsWith = contractIdOf(base.contract);
  return {
    key: rival.contract.negotiationId,
    value: bytesOf(sign(rival)),
    outcome: { kind: 'quarantined', contractId, conflictsWith },
    events: [
      { type: 'org.v402.contract.quarantined.v1', subject: contractId, about: conflictsWith },
      ...(isExpired
        ? []
        : [{ type: 'org.v402.hold.placed.v1' as const, subject: conflictsWith, about: 'equivocation' }]),
    ],
  };
}

/** An amendment of a contract whose order stands already: accepted, and held before anything of it starts. */
export function lateAmendment(amended: Deal): SimulatedMessage {
  const contractId = contractIdOf(amended.contract);
  return {
    key: amended.contract.negotiationId,
    value: bytesOf(sign(amended)),
    outcome: { kind: 'accepted', contractId, orders: [] },
    events: [
      { type: 'org.v402.settlement.accepted.v1', subject: contractId },
      { type: 'org.v402.hold.placed.v1', subject: contractId, about: 'amendment_after_start' },
    ],
  };
}
