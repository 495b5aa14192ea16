import type { EventNaming } from '../events/settlement-stream.js';
import type { OperatorCase } from '../ports/case-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import { OperationRefused } from './operation-refused.js';

/**
 * Whoever acts writes events beside those of the services. Under other names they would have ids that nobody expects, and go
 * to topics that nobody reads.
 * @throws OperationRefused `names_differ` where the case's newest event has another source, or is for topics of another prefix
 */
export async function requireSameNames(
  tx: Transaction,
  { source, topics }: EventNaming,
  { contractId, otherContractId, rawDigest }: OperatorCase,
): Promise<void> {
  const streams = [contractId, otherContractId, rawDigest].filter((stream) => stream !== undefined);
  const theirs = await tx.events.namesOf(streams);
  if (theirs === undefined) return;
  if (theirs.source === source && Object.values(topics).includes(theirs.topic)) return;
  throw new OperationRefused(
    'names_differ',
    'The services tell of this case under other names: set V402_INSTANCE_ID and V402_TOPIC_PREFIX as they have them.',
    { source: theirs.source, topic: theirs.topic, ourSource: source, ourTopic: topics.settlement },
  );
}
