import { CATALOGUE, encodeEvent, type DataOf, type EventType } from '@v402/events';
import { instantOfMicros, type ContractId, type Micros, type Side } from '@v402/domain';
import { kafkaMember, settlementMembers } from '../events/members.js';
import type { EventNaming } from '../events/settlement-stream.js';
import type { StoredEvent } from '../ports/event-store.js';
import type { RejectionRecord } from '../ports/evidence-store.js';
import type { ExaminedMessage, SeenMessage } from './decide.js';
import type { IdentifiedMessage } from './inbound-message.js';

export interface AcceptedFacts {
  readonly examined: ExaminedMessage;
  readonly identified: IdentifiedMessage;
  readonly sides: readonly Side[];
  readonly orderReference: string;
}

export function acceptedData(facts: AcceptedFacts): DataOf<'org.v402.settlement.accepted.v1'> {
  const { examined, identified, sides, orderReference } = facts;
  const { contract } = identified.envelope;
  return {
    ...settlementMembers(identified, contract),
    sides,
    ...(contract.supersedes !== undefined && { supersedes: contract.supersedes }),
    reference: orderReference,
    agreedAt: contract.agreedAt,
    expiresAt: contract.expiresAt,
    terms: contract.terms,
    ...(contract.extensions !== undefined && { extensions: contract.extensions }),
    evidence: {
      kafka: kafkaMember(examined.message.coordinates),
      arrival: examined.arrival,
      rawDigest: examined.raw.digest,
      registryDigest: examined.registryDigest,
      keys: identified.envelope.signatures.map(({ role, suite, kid }) => ({ role, suite, kid })),
    },
  };
}

/** An event on the topic of rejections: it belongs to no settlement, so it has no sequence. */
function rejectionsEvent<T extends EventType>(
  naming: EventNaming,
  type: T,
  about: {
    readonly subject: string;
    readonly subjectId: string;
    /** The how-manieth of its subject and type, from 1; 1 if absent. */
    readonly n?: number;
    readonly negotiationId: string | undefined;
    readonly traceparent: string | undefined;
    readonly now: Micros;
  },
  data: DataOf<T>,
): StoredEvent {
  const { id, bytes, topicKey } = encodeEvent(
    type,
    {
      source: naming.source,
      subject: about.subject,
      subjectId: about.subjectId,
      n: about.n ?? 1,
      time: instantOfMicros(about.now),
      traceparent: about.traceparent,
      correlationId: about.negotiationId,
    },
    data,
  );
  const topic = naming.topics[topicKey];
  return {
    id,
    type: CATALOGUE[type].type,
    stream: about.subject,
    topic,
    sequence: undefined,
    occurredAt: about.now,
    bytes,
  };
}

export function rejectedEvent(
  naming: EventNaming,
  { message, raw, arrival }: ExaminedMessage,
  rejection: RejectionRecord,
  now: Micros,
): StoredEvent {
  const { code, where, contractId, negotiationId } = rejection;
  return rejectionsEvent(
    naming,
    'org.v402.contract.rejected.v1',
    {
      subject: contractId ?? raw.digest,
      subjectId: `${raw.digest}:${code}`,
      negotiationId,
      traceparent: message.traceparent,
      now,
    },
    {
      code,
      ...(where !== undefined && { where }),
      rawDigest: raw.digest,
      size: raw.size,
      kafka: kafkaMember(message.coordinates),
      arrival,
      ...(contractId !== undefined && { contractId }),
      ...(negotiationId !== undefined && { negotiationId }),
    },
  );
}

export function equivocationEvent(
  naming: EventNaming,
  { message, raw, arrival }: ExaminedMessage,
  identified: IdentifiedMessage,
  about: { readonly conflictsWith: ContractId; readonly held: boolean; readonly now: Micros },
): StoredEvent {
  const { contract } = identified.envelope;
  return rejectionsEvent(
    naming,
    'org.v402.contract.quarantined.v1',
    {
      subject: identified.contractId,
      subjectId: identified.contractId,
      negotiationId: contract.negotiationId,
      traceparent: message.traceparent,
      now: about.now,
    },
    {
      ...settlementMembers(identified, contract),
      code: 'negotiation_conflict',
      conflictsWith: about.conflictsWith,
      held: about.held,
      rawDigest: raw.digest,
      kafka: kafkaMember(message.coordinates),
      arrival,
    },
  );
}

export function undecidableEvent(
  naming: EventNaming,
  { message, raw, arrival }: SeenMessage,
  { n, now }: { readonly n: number; readonly now: Micros },
): StoredEvent {
  return rejectionsEvent(
    naming,
    'org.v402.contract.quarantined.v1',
    { subject: raw.digest, subjectId: raw.digest, n, negotiationId: undefined, traceparent: message.traceparent, now },
    {
      code: 'undecidable_message',
      held: false,
      rawDigest: raw.digest,
      kafka: kafkaMember(message.coordinates),
      arrival,
    },
  );
}
