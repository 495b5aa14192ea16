import type { InputMark } from './input-store.js';

/** What stands in a partition of the contracts topic, as the broker says. */
export interface PartitionFacts {
  readonly partition: number;
  /** The first offset that is there, or would be. */
  readonly low: bigint;
  /** The offset that the next record gets. */
  readonly high: bigint;
  /** Where the consumer group would go on; undefined where it has committed nothing. */
  readonly committed: bigint | undefined;
  /**
   * Hex SHA-256 of the record that stands where the mark's last message stood. Null where a control record stands there;
   * undefined where there is nothing to read.
   */
  readonly lastDigest: string | null | undefined;
  /** The first message at or after the mark that a consumer sees; undefined where none was found. */
  readonly waiting: bigint | undefined;
  /** Before this offset there is no other message at or after the mark. */
  readonly lookedTo: bigint;
}

/** Looks at the contracts topic and at the offsets of the group that takes it, without being part of the group. */
export abstract class InputLog {
  /**
   * All partitions of the topic, in their order. Those with a mark are compared with it.
   * @throws RetryableError `broker_unavailable`, `topic_missing` and other codes of Kafka
   */
  abstract look(topic: string, marks: readonly InputMark[]): Promise<readonly PartitionFacts[]>;
}
