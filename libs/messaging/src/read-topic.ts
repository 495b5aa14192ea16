import { randomUUID } from 'node:crypto';
import type { Admin, Consumer } from 'kafkajs';
import { toKafkaRecord, type KafkaRecord } from './kafka-batch.js';
import { createKafka, type KafkaConnection, type KafkaLog } from './kafka-client.js';
import { withAdmin } from './kafka-topics.js';

export interface ReadRecord extends KafkaRecord {
  readonly partition: number;
}

export interface ReadOptions {
  /** Goes on reading, beyond the present end, until this holds of all records so far. Without it: to the present end. */
  readonly until?: (records: readonly ReadRecord[]) => boolean;
  /** Milliseconds; 30 seconds if absent. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Reads a topic from its beginning, for demonstrations and tests. Records come in order within a partition; partitions mix.
 * Its consumer group is its own and is deleted at the end.
 *
 * @throws {Error} when the time is over first; the message says how many records were read.
 */
export async function readTopic(
  connection: KafkaConnection,
  topic: string,
  options: ReadOptions = {},
  log: KafkaLog = () => undefined,
): Promise<readonly ReadRecord[]> {
  const kafka = createKafka(connection, log);
  const groupId = `v402-reader-${randomUUID()}`;
  return withAdmin(kafka, async (admin) => {
    const ends = await unreadEnds(admin, topic);
    if (options.until === undefined && ends.size === 0) return [];
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50, sessionTimeout: 6_000, heartbeatInterval: 1_000 });
    try {
      return await collect(consumer, topic, ends, options);
    } finally {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch((error: unknown) => {
        log('debug', 'The reader could not delete its consumer group.', { error });
      });
    }
  });
}

/** The offset at which each partition with records ends at this moment. */
async function unreadEnds(admin: Admin, topic: string): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const unread = offsets.filter(({ low, high }) => BigInt(high) > BigInt(low));
  return new Map(unread.map(({ partition, high }) => [partition, BigInt(high)]));
}

async function collect(
  consumer: Consumer,
  topic: string,
  ends: Map<number, bigint>,
  { until, timeoutMs = DEFAULT_TIMEOUT_MS }: ReadOptions,
): Promise<readonly ReadRecord[]> {
  const records: ReadRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${topic}: ${records.length} records within ${timeoutMs} ms, and the end was not reached`));
    }, timeoutMs);
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    };
    const isDone = (): boolean => (until === undefined ? ends.size === 0 : until(records));
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      // kafkajs starts again by itself, for example while a broker that has just started loads the group's coordinator.
      // Later than that, what was read already would come twice.
      if (!restart || records.length > 0) finish(error);
    });
    // This event also tells of batches that hold nothing to see: control records of transactions.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      const end = ends.get(partition);
      if (end !== undefined && BigInt(lastOffset) >= end - 1n) ends.delete(partition);
      if (isDone()) finish();
    });
    const eachBatch = ({
      batch,
    }: {
      batch: { partition: number; messages: Parameters<typeof toKafkaRecord>[0][] };
    }) => {
      for (const message of batch.messages) records.push({ ...toKafkaRecord(message), partition: batch.partition });
      return Promise.resolve();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(finish);
  });
  return records;
}
