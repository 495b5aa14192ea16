import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs, RetryableError, TerminalError } from '@v402/domain';
import type { Kafka, Producer, TopicMessages } from 'kafkajs';
import { createKafka, type KafkaConnection, type KafkaLog } from './kafka-client.js';
import { failureCode, protocolErrorType, type KafkaFailureCode } from './kafka-failure.js';
import { existingTopics } from './kafka-topics.js';
import { Partitioners } from './kafkajs.js';
import { chunkRecords } from './chunk-records.js';
import { settledWithin } from './within.js';

export interface OutgoingRecord {
  readonly topic: string;
  /** Decides the partition, as Java's default partitioner does (murmur2). */
  readonly key: Buffer | string;
  /** `null` is a tombstone. */
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends records at least once, in order: acknowledged by all replicas in sync, one request in flight.
 *
 * kafkajs must not repeat a request by itself. It leaves out brokers that have answered before: where the leader of a
 * partition changes to one of them meanwhile, the partition's records are sent to nobody, and the request passes for
 * acknowledged. So the whole request is repeated here, over a producer that knows nothing of before. A producer that
 * repeats nothing has no use for idempotence, which kafkajs would refuse to it.
 */
export class KafkaEventProducer {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | null = null;
  #isClosed = false;

  constructor(
    connection: KafkaConnection,
    private readonly log: KafkaLog,
    /** How long a request may take, connecting included, until it counts as not acknowledged. */
    private readonly sendWithinMs = SEND_WITHIN_MS,
  ) {
    this.#kafka = createKafka(connection, log);
  }

  /**
   * Resolves once all records are acknowledged. Not for concurrent use: the caller keeps the order.
   *
   * @throws {TerminalError} `record_too_large` or `record_invalid`: the record at `context.index` can never be sent. Those
   * before it are acknowledged; those after it may or may not have been written.
   * @throws {RetryableError} `send_failed` or a `KafkaFailureCode`, `broker_unavailable` for example: any of the records may or may
   * not have been written; send all again. Of `topic_missing`, `context.topic` names the topics that do not exist.
   */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    let firstIndex = 0;
    for (const request of chunkRecords(records, REQUEST_LIMITS)) {
      await this.#sendRequest(request, firstIndex);
      firstIndex += request.length;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#discard();
  }

  /** Tries for about three seconds, as long as Kafka has a reason that passes. */
  async #sendRequest(records: readonly OutgoingRecord[], firstIndex: number): Promise<void> {
    const beganMs = performance.now();
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#sendOnce(records);
        return;
      } catch (error) {
        await this.#discard();
        const type = protocolErrorType(error);
        const code = type === null ? undefined : RECORD_ERRORS[type];
        if (code !== undefined) return this.#sendHalves(records, firstIndex, { code, error });
        const mayPass = PASSING.has(failureCode(error)) && performance.now() - beganMs < REPEAT_WITHIN_MS;
        if (!mayPass) throw await this.#toRetryable(error, records);
      }
      await delay(backoffMs(REPEAT_BACKOFF, failures));
    }
  }

  async #sendOnce(records: readonly OutgoingRecord[]): Promise<void> {
    const topicMessages = byTopic(records);
    const connecting = this.#connected();
    const sending = connecting.then((producer) =>
      producer.sendBatch({ acks: -1, timeout: ACKNOWLEDGE_WITHIN_MS, topicMessages }),
    );
    if (await settledWithin(sending, this.sendWithinMs)) {
      await sending;
      return;
    }
    // Where a request fails after its producer was closed, kafkajs connects once more.
    void sending.catch(() => undefined).then(() => this.#disconnect(connecting));
    throw new RetryableError('broker_unavailable', TOO_LATE);
  }

  /** Finds the record that is refused. */
  async #sendHalves(
    records: readonly OutgoingRecord[],
    firstIndex: number,
    { code, error }: { readonly code: RecordError; readonly error: unknown },
  ): Promise<void> {
    const [record] = records;
    if (record !== undefined && records.length === 1) throw toTerminal(code, record, firstIndex, error);
    this.log('debug', 'Kafka refuses a record of a request: halving it.', { records: records.length, code });
    const half = Math.ceil(records.length / 2);
    await this.#sendRequest(records.slice(0, half), firstIndex);
    await this.#sendRequest(records.slice(half), firstIndex + half);
  }

  async #toRetryable(error: unknown, records: readonly OutgoingRecord[]): Promise<Error> {
    if (error instanceof TerminalError || error instanceof RetryableError) return error;
    const failure = failureCode(error) ?? 'send_failed';
    const missing = failure === 'topic_missing' ? await this.#missingTopics(records) : [];
    // All of them are there: it is the broker that has not heard of one.
    const code = failure === 'topic_missing' && missing.length === 0 ? 'broker_unavailable' : failure;
    const topic = missing.join(', ');
    const protocolError = protocolErrorType(error);
    return missing.length === 0
      ? new RetryableError(
          code,
          'Kafka did not acknowledge the records; they are sent again later.',
          { protocolError },
          { cause: error },
        )
      : new RetryableError(
          code,
          `Topic ${topic} does not exist, or this user may not see it: create it (v402 topics) or allow DESCRIBE; the records are sent again later.`,
          { protocolError, topic },
          { cause: error },
        );
  }

  /** Asked for anew, since kafkajs does not say which topic of a request it was. Nothing where the broker cannot tell now. */
  async #missingTopics(records: readonly OutgoingRecord[]): Promise<readonly string[]> {
    const topics = [...new Set(records.map(({ topic }) => topic))];
    try {
      const asking = existingTopics(this.#kafka, topics);
      if (!(await settledWithin(asking, CLOSE_WITHIN_MS))) return [];
      const existing = await asking;
      return topics.filter((topic) => !existing.includes(topic));
    } catch (error) {
      this.log('debug', 'Kafka could not be asked which topic is missing.', { error });
      return [];
    }
  }

  async #connected(): Promise<Producer> {
    if (this.#isClosed) throw new TerminalError('producer_closed', 'The Kafka producer is closed.');
    this.#producer ??= this.#connect();
    return this.#producer;
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries: 0 },
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
    return producer;
  }

  async #discard(): Promise<void> {
    const discarded = this.#producer;
    this.#producer = null;
    // One that waits for an answer closes when it has waited long enough.
    if (discarded !== null) await settledWithin(this.#disconnect(discarded), CLOSE_WITHIN_MS);
  }

  async #disconnect(discarded: Promise<Producer>): Promise<void> {
    try {
      const producer = await discarded;
      await producer.disconnect();
    } catch (error) {
      // It is unusable already; the next send makes a new one.
      this.log('debug', 'A Kafka producer could not be closed.', { error });
    }
  }
}

/** How long the leader of a partition waits for the replicas. */
const ACKNOWLEDGE_WITHIN_MS = 5_000;
/**
 * How long one request may take, connecting included: longer than Kafka takes for one answer (`REQUEST_TIMEOUT_MS`). Whoever
 * sends says then that Kafka is away, and begins anew.
 */
const SEND_WITHIN_MS = 20_000;
/** As `CLIENT_RETRY`: no repeat begins later. */
const REPEAT_WITHIN_MS = 3_000;
const REPEAT_BACKOFF = { firstMs: 100, maxMs: 1_000 } as const;
/** A leader that has just changed, a topic that a broker has not heard of yet. */
const PASSING: ReadonlySet<string | null> = new Set<KafkaFailureCode>(['broker_unavailable', 'topic_missing']);
/** Closing, and asking which topic is missing, keep nobody waiting. */
const CLOSE_WITHIN_MS = 2_000;
const TOO_LATE = 'Kafka did not acknowledge the records in time; they are sent again later.';

/** Kafka limits the record batch, 1 MiB unless a topic says otherwise. A record over these limits travels alone. */
const REQUEST_LIMITS = { maxMessages: 1_000, maxBytes: 900_000 };

type RecordError = 'record_too_large' | 'record_invalid';

const RECORD_ERRORS: Readonly<Record<string, RecordError>> = {
  MESSAGE_TOO_LARGE: 'record_too_large',
  RECORD_LIST_TOO_LARGE: 'record_too_large',
  INVALID_RECORD: 'record_invalid',
};

function byTopic(records: readonly OutgoingRecord[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages['messages']>();
  for (const { topic, key, value, headers } of records) {
    const messages = topics.get(topic) ?? [];
    messages.push({ key, value, headers: { ...headers } });
    topics.set(topic, messages);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

function toTerminal(code: RecordError, record: OutgoingRecord, index: number, error: unknown): TerminalError {
  return new TerminalError(
    code,
    `Kafka refuses record ${index} for ${record.topic} for good: it can never be sent as it is.`,
    { topic: record.topic, index, bytes: record.value?.length ?? 0 },
    { cause: error },
  );
}
