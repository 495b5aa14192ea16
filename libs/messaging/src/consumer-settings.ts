import type { Backoff } from '@v402/domain';
import type { ChunkLimits } from './chunk-records.js';

/** Partitions of a topic that this consumer was given. */
export interface Assignment {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** Says where consumption begins in each of the partitions; where it says nothing, the group's committed offset counts. */
export type Placement = (assignment: Assignment) => Promise<ReadonlyMap<number, bigint>>;

/** How a consumer behaves. Times in milliseconds. */
export interface ConsumerSettings {
  readonly groupId: string;
  /** What one handler call may hold. */
  readonly chunk: ChunkLimits;
  /** A member that the broker has not heard of for this long loses its partitions. */
  readonly sessionTimeoutMs: number;
  /** How often the broker hears of a member; so fast it hears of a rebalance, too. */
  readonly heartbeatIntervalMs: number;
  /** How long a rebalance waits for a member whose handler still runs. */
  readonly rebalanceTimeoutMs: number;
  /** How long the broker may hold a fetch that finds nothing. Shutting down waits for it. */
  readonly maxWaitMs: number;
  /** Bytes fetched at a time from one partition; a larger record still comes, alone. */
  readonly maxBytesPerPartition: number;
  /** Partitions whose handlers run at the same time. */
  readonly partitionsAtOnce: number;
  /**
   * Whether a batch may be handed on now. Where not, its partition lets go of what it has fetched, and asks again after
   * `admitPollMs`: what waits, waits in Kafka.
   */
  readonly admits: () => boolean;
  readonly admitPollMs: number;
  /**
   * Asked at each assignment, before anything is fetched, and again with the backoff until it answers. Without it the group's
   * committed offsets count.
   */
  readonly place: Placement | undefined;
  /** Between attempts at a batch whose handler failed, and at a consumer that ended. */
  readonly backoff: Backoff;
  /** Between looks for a topic that does not exist yet. */
  readonly topicPollMs: number;
  /** How long closing waits for the running handlers. */
  readonly closeLimitMs: number;
}

export const CONSUMER_DEFAULTS: Omit<ConsumerSettings, 'groupId' | 'admits' | 'place'> = {
  chunk: { maxMessages: 500, maxBytes: 8 * 1024 * 1024 },
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 300,
  rebalanceTimeoutMs: 30_000,
  maxWaitMs: 100,
  maxBytesPerPartition: 4 * 1024 * 1024,
  partitionsAtOnce: 4,
  admitPollMs: 500,
  backoff: { firstMs: 100, maxMs: 5_000 },
  topicPollMs: 1_000,
  closeLimitMs: 10_000,
};
