import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '@v402/domain';
import type { Kafka } from 'kafkajs';
import { age, ProgressRecord, type ConsumerProgress, type ConsumerStatus } from './consumer-progress.js';
import { ConsumerSession } from './consumer-session.js';
import type { ConsumerSettings } from './consumer-settings.js';
import { FailingPartitions } from './failing-partitions.js';
import type { KafkaBatchConsumer } from './kafka-batch.js';
import { createKafka, type KafkaConnection, type KafkaLog } from './kafka-client.js';
import { failureCode, type KafkaFailureCode } from './kafka-failure.js';
import { existingTopics } from './kafka-topics.js';
import { GroupConnection } from './kafkajs.js';
import { Predecessors } from './predecessors.js';
import { settledWithin } from './within.js';

const SENTENCES: Readonly<Record<KafkaFailureCode, string>> = {
  authentication_failed: 'Kafka refuses the credentials: check the SASL settings.',
  authorization_failed:
    'Kafka does not allow this user to read: check the ACLs of the topic and of the consumer group.',
  broker_unavailable: 'Kafka cannot be reached or is not ready: consumption waits and goes on by itself.',
  compression_unsupported:
    'A record uses a compression that cannot be read: set compression.type=uncompressed on the topic.',
  consumer_failed: 'The Kafka consumer ended unexpectedly and is started again.',
  consumer_stalled: 'The Kafka consumer heard nothing from the broker and is started again.',
  coordinator_not_found:
    'No broker says who coordinates the consumer group: this user must be allowed to read and describe it (V402_KAFKA_GROUP).',
  offset_out_of_range: 'What is to be read next is not in the topic any more: consumption begins anew.',
  tls_failed:
    'TLS to Kafka fails: the certificate of the broker must be valid for its name, and issued by who is trusted (NODE_EXTRA_CA_CERTS).',
  topic_missing:
    'A topic does not exist, or this user may not see it: create it (v402 topics) or allow DESCRIBE; consumption starts by itself.',
};

/**
 * Keeps a consumer going: waits for the broker and for missing topics, runs one session after the other, backs off between
 * them, and says each change of state once.
 */
export class BatchConsumer {
  readonly #kafka: Kafka;
  readonly #progress = new ProgressRecord();
  readonly #failing: FailingPartitions;
  readonly #predecessors: Predecessors;
  readonly #closing = new AbortController();
  #status: ConsumerStatus = { state: 'starting', code: null, message: 'The Kafka consumer starts.' };
  #missingTopics: readonly string[] = [];
  #lastConsumingMs: number | null = null;
  #lastUnreadableMs: number | null = null;
  #session: ConsumerSession | null = null;
  #failures = 0;
  #done: Promise<void> = Promise.resolve();

  constructor(
    connection: KafkaConnection,
    private readonly settings: ConsumerSettings,
    private readonly handlers: ReadonlyMap<string, KafkaBatchConsumer>,
    private readonly log: KafkaLog,
    private readonly onStatus: (status: ConsumerStatus) => void,
  ) {
    this.#kafka = createKafka(connection, log);
    this.#failing = new FailingPartitions(settings.backoff, log);
    const connectionTo = (groupId: string): GroupConnection => new GroupConnection(this.#kafka, groupId);
    this.#predecessors = new Predecessors(connectionTo, settings.groupId, connection.clientId, log);
  }

  start(): void {
    this.#done = this.#keepGoing();
  }

  /** Lets running handlers end within the limit, commits what they did, leaves the group. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#session?.stop();
    if (!(await settledWithin(this.#done, 2 * this.settings.closeLimitMs))) {
      this.log('warn', 'The Kafka consumer did not end in time; its records will be delivered again.', {});
    }
    this.#report({ state: 'closed', code: null, message: 'The Kafka consumer is closed.' });
  }

  /** Asks anew where consumption begins; a consumer that is not in its group asks when it joins. */
  placeAnew(): void {
    this.#session?.placeAnew();
  }

  progress(): ConsumerProgress {
    return {
      ...this.#status,
      ...this.#progress.snapshot(),
      failing: this.#failing.snapshot(),
      missingTopics: this.#missingTopics,
      sinceConsumingMs: this.#status.state === 'consuming' ? 0 : age(this.#lastConsumingMs),
      sinceUnreadableMs: age(this.#lastUnreadableMs),
    };
  }

  async #keepGoing(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const topics = await this.#topicsToConsume();
        if (topics.length > 0) await this.#consume(topics);
        else await this.#pause(this.settings.topicPollMs);
      } catch (error) {
        this.#failures += 1;
        const code = failureCode(error) ?? 'consumer_failed';
        if (code === 'compression_unsupported') this.#lastUnreadableMs = performance.now();
        this.#report({ state: 'waiting', code, message: SENTENCES[code] }, error);
        await this.#pause(backoffMs(this.settings.backoff, this.#failures));
      }
    }
  }

  async #topicsToConsume(): Promise<readonly string[]> {
    const wanted = [...this.handlers.keys()];
    const existing = await existingTopics(this.#kafka, wanted);
    this.#missingTopics = wanted.filter((topic) => !existing.includes(topic));
    if (this.#missingTopics.length > 0) {
      const message = `Topic ${this.#missingTopics.join(', ')} does not exist, or this user may not see it: create it (v402 topics) or allow DESCRIBE; consumption starts by itself.`;
      this.#report({ state: 'waiting', code: 'topic_missing', message });
    }
    return existing;
  }

  async #consume(topics: readonly string[]): Promise<void> {
    const session = new ConsumerSession({
      kafka: this.#kafka,
      settings: this.settings,
      handlers: this.handlers,
      progress: this.#progress,
      failing: this.#failing,
      predecessors: this.#predecessors,
      onJoined: () => {
        this.#failures = 0;
        this.#report({ state: 'consuming', code: null, message: `Consuming ${topics.join(', ')}.` });
      },
    });
    this.#session = session;
    const watch = setInterval(() => {
      void this.#endWhenTopicAppears(session);
    }, this.settings.topicPollMs);
    try {
      if (!this.#closing.signal.aborted) await session.run(topics);
    } finally {
      clearInterval(watch);
      this.#session = null;
    }
  }

  /** A subscription cannot grow: the session ends, and the next one takes the topic that was missing, too. */
  async #endWhenTopicAppears(session: ConsumerSession): Promise<void> {
    if (this.#missingTopics.length === 0) return;
    try {
      const appeared = await existingTopics(this.#kafka, this.#missingTopics);
      if (appeared.length > 0) session.stop();
    } catch {
      // The broker is away: the session meets that by itself, and the next look comes soon.
    }
  }

  #report(status: ConsumerStatus, error?: unknown): void {
    if (this.#status.state === 'consuming') this.#lastConsumingMs = performance.now();
    const isSame = status.state === this.#status.state && status.code === this.#status.code;
    this.#status = status;
    if (isSame) return;
    const { state, code, message } = status;
    this.log(state === 'waiting' ? 'warn' : 'info', message, {
      group: this.settings.groupId,
      state,
      ...(code === null ? {} : { code }),
      ...(error === undefined ? {} : { error }),
    });
    this.onStatus(status);
  }

  async #pause(ms: number): Promise<void> {
    // An abort only ends the wait early; the loop looks at the signal itself.
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}
