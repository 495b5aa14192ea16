/** A record as it stands in a Kafka topic. */
export interface LoggedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | undefined;
  /** Null for a tombstone. */
  readonly value: Uint8Array | null;
  /** Milliseconds since the epoch: the broker's clock where the topic keeps log-append time, else the producer's. */
  readonly timestampMs: number;
}

/** What a partition holds: offsets from `low` up to, but without, `high`. */
export interface PartitionBounds {
  readonly partition: number;
  /** Over 0: what stood before it was deleted. */
  readonly low: bigint;
  readonly high: bigint;
}

export interface PartitionRange {
  readonly partition: number;
  readonly from: bigint;
  /** Exclusive. */
  readonly to: bigint;
}

/** Reads topics without being part of anybody's consumption. */
export abstract class TopicLog {
  /** @throws RetryableError `topic_missing`, `broker_unavailable` and other codes of Kafka */
  abstract bounds(topic: string): Promise<readonly PartitionBounds[]>;
  /** Per partition the offset of the first record at or after the moment; the end where there is none. */
  abstract offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, bigint>>;
  /**
   * Hands on all records of the ranges that still exist, in the order of their offsets within a partition. The next batch
   * is not read before the last one is dealt with.
   */
  abstract read(
    topic: string,
    ranges: readonly PartitionRange[],
    onBatch: (records: readonly LoggedRecord[]) => Promise<void>,
  ): Promise<void>;
}
