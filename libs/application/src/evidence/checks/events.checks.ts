import { sha256Hex } from '@v402/contract';
import { compareInstants, type SettlementContract } from '@v402/domain';
import { DEFAULT_TOPICS, expectedEventId, type ReadEvent } from '@v402/events';
import type { EvidenceFile } from '../evidence-file.js';
import { compareMembers, eventsOf, type EvidenceCheck, type Fail, type OpenedEvidence } from './evidence-check.js';

const CONTRACTS_TOPIC = 'v402.settlement.contracts.v1';

export const eventBytesCheck: EvidenceCheck = {
  code: 'event_bytes',
  proves:
    'Every event is as it was written for Kafka: its digest fits, and it follows the published schema of its type.',
  run: ({ file, events }, fail) => {
    file.events.forEach((stored, index) => {
      const where = `/events/${index}`;
      const bytes = Buffer.from(stored.bytes, 'base64');
      if (bytes.toString('base64') !== stored.bytes) fail(`${where}/bytes`, 'is no canonical base64');
      if (sha256Hex(bytes) !== stored.sha256) fail(`${where}/sha256`, 'is not the SHA-256 of the bytes');
      const event = events[index];
      if (event === undefined) {
        fail(`${where}/bytes`, 'is no event that this system writes');
        return;
      }
      const { id, type, sequence = null, time } = event;
      compareMembers(stored, { id, type, sequence }, where, 'the event itself', fail);
      if (compareInstants(stored.occurredAt, time) !== 0) fail(`${where}/occurredAt`, 'differs from the event itself');
    });
    checkTopics(file, events, fail);
    return file.events.length > 0;
  },
};

/** A deployment puts one prefix before all topics. */
function checkTopics(file: EvidenceFile, events: OpenedEvidence['events'], fail: Fail): void {
  const { decisions } = file;
  const prefixOf = (topic: string, name: string): string | undefined =>
    topic.endsWith(name) ? topic.slice(0, -name.length) : undefined;
  const prefix = prefixOf(decisions[0]?.kafka.topic ?? '', CONTRACTS_TOPIC);
  if (prefix === undefined) fail('/decisions/0/kafka/topic', 'is no topic of contracts');
  decisions.forEach(({ kafka }, index) => {
    if (prefixOf(kafka.topic, CONTRACTS_TOPIC) !== prefix) {
      fail(`/decisions/${index}/kafka/topic`, 'is not the topic of the other decisions');
    }
  });
  file.events.forEach(({ topic }, index) => {
    const event = events[index];
    if (event !== undefined && prefixOf(topic, DEFAULT_TOPICS[event.topicKey]) !== prefix) {
      fail(`/events/${index}/topic`, 'is not the topic of such an event');
    }
  });
}

export const eventIdsCheck: EvidenceCheck = {
  code: 'event_ids',
  proves: 'Every event has the id that follows from what it says, so no fact was announced under two ids.',
  run: ({ events }, fail) => {
    const occurrences = new Map<string, number>();
    const ids = new Set<string>();
    let isChecked = false;
    events.forEach((event, index) => {
      if (event === undefined) return;
      const name = `${event.type} ${String(event.data?.['side'])}`;
      const occurrence = (occurrences.get(name) ?? 0) + 1;
      occurrences.set(name, occurrence);
      if (ids.has(event.id)) fail(`/events/${index}/id`, 'stands in the file twice');
      ids.add(event.id);
      const expected = expectedEventId(event, occurrence);
      if (expected === undefined) return;
      isChecked = true;
      if (expected !== event.id) fail(`/events/${index}/id`, 'does not follow from what the event says');
    });
    return isChecked;
  },
};

export const eventSequencesCheck: EvidenceCheck = {
  code: 'event_sequences',
  proves:
    'Per topic the events count from 1 without a gap, and their times never decrease: none is left out before the last.',
  run: ({ events }, fail) => {
    const last = new Map<string, ReadEvent>();
    events.forEach((event, index) => {
      if (event?.sequence === undefined) return;
      const before = last.get(event.topicKey);
      if (event.sequence !== (before?.sequence ?? 0) + 1) fail(`/events/${index}/sequence`, 'is not the next one');
      if (before !== undefined && compareInstants(event.time, before.time) <= 0) {
        fail(`/events/${index}/occurredAt`, 'is not later than the event before it');
      }
      last.set(event.topicKey, event);
    });
    return last.size > 0;
  },
};

export const eventContentsCheck: EvidenceCheck = {
  code: 'event_contents',
  proves: 'The events speak of this contract, and what was announced of it is what was signed and decided.',
  run: (opened, fail) => {
    const { events, file, identified } = opened;
    const subject = file.subject.kind === 'contract' ? file.subject.contractId : undefined;
    const digests = file.messages.map(({ rawDigest }) => rawDigest);
    const source = events.find((event) => event !== undefined)?.source;
    events.forEach((event, index) => {
      if (event === undefined) return;
      const where = `/events/${index}`;
      if (event.source !== source) fail(where, 'comes from another source than the others');
      const isOfMessage = event.topicKey === 'rejections' && digests.includes(String(event.data?.['rawDigest']));
      if (event.subject !== subject && !isOfMessage) fail(where, 'is about something else');
      if (identified !== undefined) checkMembers(event, identified.envelope.contract, identified, where, fail);
    });
    checkAccepted(opened, fail);
    checkAnnounced(opened, fail);
    return events.length > 0;
  },
};

/** The members that every event about a contract begins with. */
function checkMembers(
  { data, topicKey, correlationId }: ReadEvent,
  { negotiationId, parties }: SettlementContract,
  { shortRef }: { readonly shortRef: string },
  where: string,
  fail: Fail,
): void {
  if (topicKey === 'rejections' || data === undefined) return;
  if (correlationId !== negotiationId) fail(where, 'belongs to another negotiation');
  // An event that another contract of the deal caused names the parties by their ids alone.
  const named = data['parties'] as SettlementContract['parties'];
  const isSameParties = named.buyer.id === parties.buyer.id && named.seller.id === parties.seller.id;
  if (!isSameParties || data['negotiationId'] !== negotiationId || data['shortRef'] !== shortRef) {
    fail(where, 'names other parties, another negotiation or another reference');
  }
}

function checkAccepted(opened: OpenedEvidence, fail: Fail): void {
  const { file, identified, events } = opened;
  if (file.settlement === null || identified === undefined) return;
  const [accepted, ...others] = eventsOf(opened, 'org.v402.settlement.accepted.v1');
  const withoutData = events.some((event) => event?.type === 'org.v402.settlement.accepted.v1' && !event.data);
  if (accepted === undefined ? !withoutData : others.length > 0) fail('/events', 'announce one acceptance');
  if (accepted === undefined) return;
  const { terms, agreedAt, expiresAt, extensions, supersedes } = identified.envelope.contract;
  compareMembers(
    accepted.data,
    { terms, agreedAt, expiresAt, extensions, supersedes },
    '/events',
    'the contract',
    fail,
  );
  const index = file.decisions.findIndex(({ outcome }) => outcome === 'accepted');
  const evidence = accepted.data['evidence'] as Readonly<Record<string, unknown>>;
  const decision = file.decisions[index];
  if (decision === undefined) return;
  compareMembers(
    decision,
    {
      ...{ kafka: evidence['kafka'], arrival: evidence['arrival'], rawDigest: evidence['rawDigest'] },
      registryDigest: evidence['registryDigest'],
    },
    `/decisions/${index}`,
    'what settlement.accepted announced',
    sameMoment(decision.arrival, evidence['arrival'], fail),
  );
}

/** Each rejection and each quarantined contract has its event, with the same code, place, coordinates and arrival. */
function checkAnnounced(opened: OpenedEvidence, fail: Fail): void {
  const { file } = opened;
  file.decisions.forEach((decision, index) => {
    const { outcome, code, rawDigest, kafka, arrival } = decision;
    if (outcome === 'accepted') return;
    const type = outcome === 'rejected' ? 'org.v402.contract.rejected.v1' : 'org.v402.contract.quarantined.v1';
    const [announced] = eventsOf(opened, type, { rawDigest, code });
    if (announced === undefined) {
      fail(`/decisions/${index}`, 'was not announced on the topic of rejections');
      return;
    }
    const { data } = announced;
    const { where = null, negotiationId = null, contractId = null } = data;
    compareMembers({ kafka }, { kafka: data['kafka'] }, `/decisions/${index}`, 'its event', fail);
    sameMoment(arrival, data['arrival'], fail)(`/decisions/${index}/arrival`, 'differs from its event');
    if (outcome !== 'rejected') return;
    const at = file.rejections.findIndex((each) => each.rawDigest === rawDigest && each.code === code);
    const rejection = file.rejections[at];
    if (rejection === undefined) return;
    compareMembers(rejection, { where, negotiationId, contractId }, `/rejections/${at}`, 'its event', fail);
    const size = file.messages.find((each) => each.rawDigest === rawDigest)?.size;
    if (size !== data['size']) fail('/messages', 'have another size than was announced');
  });
}

/** The same moment may have been written with other digits: the database keeps six. */
function sameMoment(arrival: EvidenceFile['decisions'][number]['arrival'], announced: unknown, fail: Fail): Fail {
  const { at, source } = announced as typeof arrival;
  const isSame = source === arrival.source && compareInstants(at, arrival.at) === 0;
  return (where, what) => {
    if (!(isSame && where.endsWith('/arrival'))) fail(where, what);
  };
}
