import type { EvidenceStore, KafkaCoordinates } from '../ports/evidence-store.js';
import type { Alarms } from '../ports/seams.js';

const partitionKey = ({ topic, partition }: KafkaCoordinates): string => `${topic}/${partition}`;

/** A transactional producer leaves a control record behind each transaction, which no consumer sees. */
const CONTROL_RECORDS = 1n;

/**
 * Notices that input was lost: the first message of a partition that this process sees lies beyond what the database
 * expects next, as after an outage longer than the topic's retention. It only raises an alarm; offsets decide nothing.
 */
export class InputGaps {
  readonly #seen = new Map<string, bigint>();

  constructor(private readonly alarms: Alarms) {}

  async check(evidence: Pick<EvidenceStore, 'nextOffset'>, batch: readonly KafkaCoordinates[]): Promise<void> {
    for (const first of firstOf(batch)) {
      const key = partitionKey(first);
      if (this.#seen.get(key) === first.offset) continue;
      const expected = await evidence.nextOffset(first.topic, first.partition);
      // Only now: where the database could not answer, the batch comes again and has to be checked then.
      this.#seen.set(key, first.offset);
      if (expected !== undefined && first.offset - expected > CONTROL_RECORDS) {
        this.alarms.raise('input_gap', 'Messages are missing between the last decided one and the first that came.', {
          topic: first.topic,
          partition: first.partition,
          expectedOffset: expected.toString(),
          foundOffset: first.offset.toString(),
        });
      }
    }
  }

  /** The offset after the last one of each partition; remembered, so that the next batch is seen to continue it. */
  next(batch: readonly KafkaCoordinates[]): readonly KafkaCoordinates[] {
    const next = new Map<string, KafkaCoordinates>();
    for (const coordinates of batch)
      next.set(partitionKey(coordinates), { ...coordinates, offset: coordinates.offset + 1n });
    for (const [key, { offset }] of next) this.#seen.set(key, offset);
    return [...next.values()];
  }
}

function firstOf(batch: readonly KafkaCoordinates[]): Iterable<KafkaCoordinates> {
  const first = new Map<string, KafkaCoordinates>();
  for (const coordinates of batch) {
    if (!first.has(partitionKey(coordinates))) first.set(partitionKey(coordinates), coordinates);
  }
  return first.values();
}
