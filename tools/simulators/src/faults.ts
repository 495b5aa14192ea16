import type { SettlementEnvelope } from '@v402/contract';
import { addSeconds, type RefusalCode, type SettlementContract, type Side } from '@v402/domain';
import type { AgentKey } from './agents.js';
import { PARTNER_COMPANIES } from './companies.js';
import { bytesOf, sign, type Deal, type DealMaker } from './deal.js';
import type { World } from './world.js';

/** A message that has to be refused. */
export interface FaultyMessage {
  readonly key: string;
  readonly value: Uint8Array | null;
  /** The contract as it stands in the message; absent where the message cannot be read that far. */
  readonly contract?: SettlementContract;
}

interface Workshop {
  readonly deals: DealMaker;
  readonly world: World;
}

type Fault = (workshop: Workshop) => FaultyMessage;

/** A second signed contract for a negotiation is quarantined, not refused. */
export type FaultCode = Exclude<RefusalCode, 'negotiation_conflict'>;

const DAY_SECONDS = 86_400;
const MAX_BYTES = 1_000_000;

function readable(envelope: SettlementEnvelope): FaultyMessage {
  const { contract } = envelope;
  return { key: contract.negotiationId, value: bytesOf(envelope), contract };
}

/** A message that never was a contract. */
const unreadable =
  (value: Uint8Array | null): Fault =>
  () => ({ key: 'no-contract', value });

/** A message that no schema has seen: spoiled after its agents had signed it. */
const spoiled =
  (spoil: (bytes: Buffer, envelope: SettlementEnvelope) => Uint8Array | null): Fault =>
  ({ deals }) => {
    const envelope = sign(deals.make());
    return { key: envelope.contract.negotiationId, value: spoil(bytesOf(envelope), envelope) };
  };

/** An envelope changed after it was signed; it can be read, and its contract identified. */
const tampered =
  (tamper: (envelope: SettlementEnvelope, deal: Deal) => SettlementEnvelope): Fault =>
  ({ deals }) => {
    const deal = deals.make();
    const envelope = tamper(sign(deal), deal);
    return readable(envelope);
  };

/** A contract that both agents sign although it breaks a rule. */
const wronglyAgreed =
  (change: (contract: SettlementContract, workshop: Workshop) => SettlementContract): Fault =>
  (workshop) => {
    const deal = workshop.deals.make();
    const contract = change(deal.contract, workshop);
    return readable(sign(deal, contract));
  };

/** The buyer signs with a key that it must not use. */
const wrongKey = (name: AgentKey): Fault =>
  tampered((envelope, deal) => sign(deal, envelope.contract, { buyer: deal.agents.buyer.key(name) }));

/** Agreed and expired at other times than now, in seconds from now. */
const agreedAt =
  (agreed: number, expires: number): Fault =>
  ({ deals, world: { now } }) => {
    const deal = deals.make({ agreedAt: addSeconds(now, agreed), expiresAt: addSeconds(now, expires) });
    return readable(sign(deal));
  };

function withTerms(
  envelope: SettlementEnvelope,
  change: (terms: SettlementContract['terms']) => Partial<SettlementContract['terms']>,
): SettlementEnvelope {
  const { contract } = envelope;
  return { ...envelope, contract: { ...contract, terms: { ...contract.terms, ...change(contract.terms) } } };
}

function withParty(contract: SettlementContract, side: Side, id: string): SettlementContract {
  return { ...contract, parties: { ...contract.parties, [side]: { id } } };
}

/** Ways to go wrong, by the code with which each has to be refused. There is no code without one. */
export const FAULTS: Readonly<Record<FaultCode, readonly [Fault, ...Fault[]]>> = {
  too_large: [spoiled((bytes) => Buffer.concat([bytes, Buffer.alloc(MAX_BYTES + 1 - bytes.length, ' ')]))],
  malformed_json: [
    spoiled((bytes) => bytes.subarray(0, bytes.length / 2)),
    unreadable(null),
    spoiled((bytes) => Buffer.concat([bytes.subarray(0, 20), Buffer.of(0), bytes.subarray(20)])),
    unreadable(Buffer.alloc(0)),
    unreadable(Buffer.from('PO 4711 agreed, see mail', 'utf8')),
    spoiled((bytes) => Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes])),
  ],
  duplicate_key: [spoiled((bytes) => Buffer.concat([Buffer.from('{"signatures":[],'), bytes.subarray(1)]))],
  unsupported_spec: [
    spoiled((_, { contract, signatures }) =>
      bytesOf({ contract: { ...contract, spec: 'v402-settlement/2' }, signatures }),
    ),
  ],
  schema_invalid: [
    spoiled((_, { contract, signatures }) => bytesOf({ contract: { ...contract, audience: null }, signatures })),
    spoiled((_, { contract, signatures }) => bytesOf({ contract, signatures, priority: 'high' })),
  ],
  same_party: [wronglyAgreed((contract) => withParty(contract, 'seller', contract.parties.buyer.id))],
  arithmetic_mismatch: [
    tampered((envelope) => withTerms(envelope, ({ total }) => ({ total: `1${total}` }))),
    tampered((envelope) =>
      withTerms(envelope, ({ lines }) => ({ lines: lines.map((line) => ({ ...line, amount: `1${line.amount}` })) })),
    ),
  ],
  rounds_exceeded: [
    wronglyAgreed((contract) => ({ ...contract, negotiation: { ...contract.negotiation, rounds: 8 } })),
  ],
  audience_mismatch: [
    wronglyAgreed((contract) => ({ ...contract, audience: 'another-handler' })),
    wronglyAgreed((contract) => {
      const [one, other] = PARTNER_COMPANIES.map(({ id }) => id);
      return withParty(withParty(contract, 'buyer', String(one)), 'seller', String(other));
    }),
  ],
  agreed_in_future: [agreedAt(DAY_SECONDS, 2 * DAY_SECONDS)],
  unknown_party: [
    wronglyAgreed((contract) => {
      const isPartner = PARTNER_COMPANIES.some(({ id }) => id === contract.parties.buyer.id);
      return withParty(contract, isPartner ? 'buyer' : 'seller', 'did:web:stranger.example');
    }),
  ],
  signature_missing: [
    tampered((envelope) => ({ ...envelope, signatures: envelope.signatures.slice(0, 1) })),
    tampered((envelope) => ({ ...envelope, signatures: [] })),
  ],
  signature_duplicate_role: [
    tampered((envelope) => ({ ...envelope, signatures: [...envelope.signatures, ...envelope.signatures.slice(0, 1)] })),
  ],
  unknown_key: [wrongKey('unregistered')],
  role_not_permitted: [wrongKey('otherRole')],
  key_not_valid: [wrongKey('notYetValid')],
  key_revoked: [wrongKey('compromised')],
  suite_unavailable: [wrongKey('contractAccount')],
  signature_malformed: [
    tampered((envelope) => ({
      ...envelope,
      signatures: envelope.signatures.map((each) => ({ ...each, signature: each.signature.slice(0, -2) })),
    })),
  ],
  signature_invalid: [
    tampered((envelope) =>
      withTerms(envelope, ({ lines }) => ({ lines: lines.map((line) => ({ ...line, sku: `${line.sku}-B` })) })),
    ),
    tampered((envelope, deal) => sign(deal, envelope.contract, { buyer: deal.agents.buyer.forgedKey() })),
    tampered((envelope) => withTerms(envelope, ({ dispute }) => ({ dispute: { ...dispute, windowDays: 0 } }))),
  ],
  transcript_mismatch: [
    tampered((envelope, { transcript }) => ({ ...envelope, transcript: transcript.slice(0, -1) })),
    tampered((envelope, { transcript }) => ({
      ...envelope,
      transcript: transcript.map((message) => ({ ...message, body: { ...message.body, note: 'added later' } })),
    })),
  ],
  superseded_unknown: [wronglyAgreed((contract) => ({ ...contract, supersedes: '0'.repeat(64) }))],
  expired: [agreedAt(-2 * DAY_SECONDS, -DAY_SECONDS)],
};
