import type { Assignment } from './consumer-settings.js';
import type { FailingPartition } from './failing-partitions.js';
import type { KafkaFailureCode } from './kafka-failure.js';

/** `waiting`: not in the group, the code says why. `consuming`: in the group, with or without partitions. */
export type ConsumerState = 'starting' | 'consuming' | 'waiting' | 'closed';

export interface ConsumerStatus {
  readonly state: ConsumerState;
  readonly code: KafkaFailureCode | null;
  /** One sentence for an operator. */
  readonly message: string;
}

export interface AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  /** What this consumer committed last: the offset after the last record handled. `null` until one was. */
  readonly nextOffset: bigint | null;
  /** Records behind the end of the partition, as of the last batch; `null` until there was one. */
  readonly lag: bigint | null;
}

/** Whether the consumer moves: what readiness and an operator go by. Ages in milliseconds, by a monotonic clock. */
export interface ConsumerProgress extends ConsumerStatus {
  readonly assigned: readonly AssignedPartition[];
  readonly failing: readonly FailingPartition[];
  readonly missingTopics: readonly string[];
  /** Batches that a handler holds at this moment. */
  readonly handling: number;
  /** How long a handler has held the batch that it has held longest; `null` while none holds one. */
  readonly longestHandlingMs: number | null;
  readonly handledRecords: number;
  /** Since a batch was last handled; `null` before the first. */
  readonly sinceHandledMs: number | null;
  /** Since the consumer was last in its group: 0 while it is, `null` before it first was. */
  readonly sinceConsumingMs: number | null;
  /** Since the broker last answered a fetch or a heartbeat, or let us join; `null` before the first. */
  readonly sinceContactMs: number | null;
  /** Since a fetch last brought a record whose compression is not read: it brings all of its records in vain. `null` if never. */
  readonly sinceUnreadableMs: number | null;
}

/** What a consumer has done so far, across its kafkajs clients. */
export class ProgressRecord {
  #assigned = new Map<string, AssignedPartition>();
  #handledRecords = 0;
  readonly #handling = new Set<{ readonly sinceMs: number }>();
  #handledAtMs: number | null = null;
  #contactAtMs: number | null = null;

  assign(topics: Readonly<Record<string, readonly number[]>>): void {
    const before = this.#assigned;
    this.#assigned = new Map();
    for (const [topic, partitions] of Object.entries(topics)) {
      for (const partition of partitions) {
        const id = `${topic}/${partition}`;
        this.#assigned.set(id, before.get(id) ?? { topic, partition, nextOffset: null, lag: null });
      }
    }
  }

  assignments(): readonly Assignment[] {
    const topics = new Map<string, number[]>();
    for (const { topic, partition } of this.#assigned.values()) {
      topics.set(topic, [...(topics.get(topic) ?? []), partition]);
    }
    return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
  }

  isAssigned(topic: string, partition: number): boolean {
    return this.#assigned.has(`${topic}/${partition}`);
  }

  contact(): void {
    this.#contactAtMs = performance.now();
  }

  /** @returns what to call when the handler has ended */
  handlerStarted(): () => void {
    const handling = { sinceMs: performance.now() };
    this.#handling.add(handling);
    return () => this.#handling.delete(handling);
  }

  handled(topic: string, partition: number, records: number, nextOffset: bigint, highWatermark: bigint): void {
    this.#handledRecords += records;
    this.#handledAtMs = performance.now();
    const lag = highWatermark > nextOffset ? highWatermark - nextOffset : 0n;
    if (this.isAssigned(topic, partition)) {
      this.#assigned.set(`${topic}/${partition}`, { topic, partition, nextOffset, lag });
    }
  }

  get sinceContactMs(): number | null {
    return age(this.#contactAtMs);
  }

  snapshot(): Omit<
    ConsumerProgress,
    keyof ConsumerStatus | 'failing' | 'missingTopics' | 'sinceConsumingMs' | 'sinceUnreadableMs'
  > {
    return {
      assigned: [...this.#assigned.values()],
      handling: this.#handling.size,
      longestHandlingMs: age(this.#handling.values().next().value?.sinceMs ?? null),
      handledRecords: this.#handledRecords,
      sinceHandledMs: age(this.#handledAtMs),
      sinceContactMs: this.sinceContactMs,
    };
  }
}

export function age(atMs: number | null): number | null {
  return atMs === null ? null : performance.now() - atMs;
}
