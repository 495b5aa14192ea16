import { randomUUID } from 'node:crypto';
import { TopicLog, type LoggedRecord, type PartitionBounds, type PartitionRange } from '@v402/application';
import { RetryableError } from '@v402/domain';
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { createKafka, type KafkaConnection, type KafkaLog } from './kafka-client.js';
import { failureCode } from './kafka-failure.js';
import { withAdmin } from './kafka-topics.js';

/** How long a partition may bring nothing before reading it counts as failed. */
const SILENCE_LIMIT_MS = 30_000;

/**
 * Reads topics beside everybody else's consumption. kafkajs reads in consumer groups only, so each reading has a group of
 * its own, `v402-log-…`, which is deleted at its end.
 */
export class KafkaTopicLog extends TopicLog {
  readonly #kafka: Kafka;

  constructor(
    connection: KafkaConnection,
    private readonly log: KafkaLog,
  ) {
    super();
    this.#kafka = createKafka(connection, log);
  }

  override async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    const offsets = await this.#asked((admin) => admin.fetchTopicOffsets(topic));
    return offsets
      .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
      .sort((a, b) => a.partition - b.partition);
  }

  override async offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, bigint>> {
    const offsets = await this.#asked((admin) => admin.fetchTopicOffsetsByTimestamp(topic, timestampMs));
    return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  override async read(
    topic: string,
    ranges: readonly PartitionRange[],
    onBatch: (records: readonly LoggedRecord[]) => Promise<void>,
  ): Promise<void> {
    if (ranges.length === 0) return;
    const groupId = `v402-log-${randomUUID()}`;
    await this.#asked(async (admin) => {
      const consumer = this.#kafka.consumer({ groupId, maxWaitTimeInMs: 50, heartbeatInterval: 1_000 });
      try {
        await new Reading(consumer, topic, ranges, onBatch).done();
      } finally {
        await consumer.disconnect();
        await admin.deleteGroups([groupId]).catch((error: unknown) => {
          this.log('debug', 'The reader could not delete its consumer group.', { error });
        });
      }
    });
  }

  async #asked<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      return await withAdmin(this.#kafka, ask);
    } catch (error) {
      const code = failureCode(error);
      if (code === null) throw error;
      throw new RetryableError(code, 'Kafka could not be read.', {}, { cause: error });
    }
  }
}

/** A range with the first offset of it that was not handed on yet. */
interface OpenRange extends PartitionRange {
  next: bigint;
}

/** Reads ranges of one topic to their ends. Other partitions of the topic are left alone. */
class Reading {
  readonly #open: Map<number, OpenRange>;
  #end: (error?: Error) => void = () => undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(
    private readonly consumer: Consumer,
    private readonly topic: string,
    ranges: readonly PartitionRange[],
    private readonly onBatch: (records: readonly LoggedRecord[]) => Promise<void>,
  ) {
    this.#open = new Map(ranges.map((range) => [range.partition, { ...range, next: range.from }]));
  }

  async done(): Promise<void> {
    const { consumer, topic } = this;
    const starts = [...this.#open.values()];
    const over = new Promise<void>((resolve, reject) => {
      this.#end = (error) => {
        clearTimeout(this.#silence);
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    over.catch(() => undefined);
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.#end(payload.error);
    });
    // This event also tells of batches that hold nothing to see: control records of transactions.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      this.#heard();
      const range = this.#open.get(partition);
      if (range !== undefined && BigInt(lastOffset) >= range.to - 1n) this.#open.delete(partition);
      if (this.#open.size === 0) this.#end();
    });
    this.#heard();
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (batch) => this.#take(batch) });
    // Only a consumer that runs can be told where to begin. What it brings before that is left out, or taken once.
    for (const { partition, from } of starts) consumer.seek({ topic, partition, offset: from.toString() });
    await over;
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const range = this.#open.get(batch.partition);
    if (range === undefined) {
      payload.pause();
      return;
    }
    const records = batch.messages.flatMap((message): LoggedRecord[] => {
      const offset = BigInt(message.offset);
      if (offset < range.next || offset >= range.to) return [];
      const { key, value, timestamp } = message;
      const { topic, partition } = batch;
      const text = key === null ? undefined : key.toString('utf8');
      return [{ topic, partition, offset, key: text, value, timestampMs: Number(timestamp) }];
    });
    try {
      for (let at = 0; at < records.length; at += PART) {
        await this.onBatch(records.slice(at, at + PART));
        await payload.heartbeat();
      }
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const last = records.at(-1);
    if (last !== undefined) range.next = last.offset + 1n;
    payload.resolveOffset(batch.lastOffset());
    if (BigInt(batch.lastOffset()) >= range.to - 1n) payload.pause();
  }

  /** The time that the caller takes for a batch does not count: this starts anew when it is done. */
  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      const partitions = [...this.#open.keys()].join();
      const message = `${this.topic}: partitions ${partitions} brought nothing for ${SILENCE_LIMIT_MS} ms.`;
      this.#end(new RetryableError('broker_unavailable', message));
    }, SILENCE_LIMIT_MS);
  }
}

/** Records that are handed on at once. */
const PART = 500;
