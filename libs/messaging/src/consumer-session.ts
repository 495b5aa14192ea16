import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { chunkRecords } from './chunk-records.js';
import type { ProgressRecord } from './consumer-progress.js';
import type { ConsumerSettings } from './consumer-settings.js';
import type { FailingPartitions } from './failing-partitions.js';
import { StartPlaces } from './start-places.js';
import { startHeartbeat } from './heartbeat.js';
import { toKafkaRecord, type KafkaBatchConsumer } from './kafka-batch.js';
import { CLIENT_RETRY } from './kafka-client.js';
import type { Predecessors } from './predecessors.js';
import { settledWithin } from './within.js';

export interface SessionParts {
  readonly kafka: Kafka;
  readonly settings: ConsumerSettings;
  /** By real topic name. */
  readonly handlers: ReadonlyMap<string, KafkaBatchConsumer>;
  readonly progress: ProgressRecord;
  readonly failing: FailingPartitions;
  readonly predecessors: Predecessors;
  readonly onJoined: () => void;
}

/** Nothing was heard from the broker for longer than any rebalance may take. */
export class ConsumerStalledError extends Error {
  override readonly name = 'ConsumerStalledError';
}

/**
 * The life of one kafkajs consumer, from connecting to its end. A consumer that crashed is never revived: the next session
 * makes a new one, so that there is one way back, whatever happened.
 */
export class ConsumerSession {
  readonly #consumer: Consumer;
  readonly #resumeTimers = new Set<NodeJS.Timeout>();
  /** Settles when this session is over: resolved by `stop`, rejected by a crash or a stall. */
  readonly #over: Promise<void>;
  #end: (error?: Error) => void = () => undefined;
  /** Settles once kafkajs has joined the group or given up: until then it must not be disconnected, or it would join after. */
  #started: Promise<void> = Promise.resolve();
  /** Counts the joins: partitions of an earlier generation may belong to somebody else now. */
  #generation = 0;
  readonly #places: StartPlaces;

  constructor(private readonly parts: SessionParts) {
    const { settings } = parts;
    this.#over = new Promise((resolve, reject) => {
      this.#end = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    this.#over.catch(() => undefined);
    this.#consumer = parts.kafka.consumer({
      groupId: settings.groupId,
      sessionTimeout: settings.sessionTimeoutMs,
      heartbeatInterval: settings.heartbeatIntervalMs,
      rebalanceTimeout: settings.rebalanceTimeoutMs,
      maxWaitTimeInMs: settings.maxWaitMs,
      maxBytesPerPartition: settings.maxBytesPerPartition,
      allowAutoTopicCreation: false,
      retry: { ...CLIENT_RETRY, restartOnFailure: () => Promise.resolve(false) },
    });
    this.#places = new StartPlaces(this.#consumer, settings, parts.failing);
    this.#listen();
  }

  /** Consumes until `stop` (then resolves) or until the consumer ends by itself (then rejects with the reason). */
  async run(topics: readonly string[]): Promise<void> {
    const stallCheck = setInterval(() => {
      this.#endIfStalled();
    }, this.parts.settings.heartbeatIntervalMs);
    try {
      this.#started = this.#start(topics);
      await Promise.race([this.#started, this.#over]);
      await this.#over;
    } finally {
      clearInterval(stallCheck);
      await this.#close();
    }
  }

  placeAnew(): void {
    this.#places.find(this.parts.progress.assignments());
  }

  stop(): void {
    this.#end();
  }

  async #start(topics: readonly string[]): Promise<void> {
    const consumer = this.#consumer;
    this.parts.progress.contact();
    await consumer.connect();
    // A group without offsets starts at the beginning: kafkajs would skip what is there already.
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await this.parts.predecessors.replace(() =>
      consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.parts.settings.partitionsAtOnce,
        eachBatch: (payload) => this.#handle(payload),
      }),
    );
  }

  #listen(): void {
    const { progress, failing, predecessors, onJoined } = this.parts;
    const consumer = this.#consumer;
    const contact = (): void => {
      progress.contact();
    };
    consumer.on(consumer.events.HEARTBEAT, contact);
    consumer.on(consumer.events.FETCH, contact);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#generation += 1;
      contact();
      predecessors.joined(payload.memberId);
      progress.assign(payload.memberAssignment);
      failing.keepOnly((topic, partition) => progress.isAssigned(topic, partition));
      this.#places.find(progress.assignments());
      onJoined();
    });
    // It begins nowhere any more: the next one asks anew.
    consumer.on(consumer.events.STOP, () => {
      this.#places.end();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.#end(payload.error);
    });
  }

  #endIfStalled(): void {
    const { progress, settings } = this.parts;
    const limitMs = settings.rebalanceTimeoutMs + 2 * settings.sessionTimeoutMs;
    if ((progress.sinceContactMs ?? 0) > limitMs) {
      this.#end(new ConsumerStalledError(`No sign of life from the broker for more than ${limitMs} ms`));
    }
  }

  /** Hands a fetched batch on in chunks. An offset is resolved, then committed, only after its chunk's handler has resolved. */
  async #handle(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, highWatermark } = payload.batch;
    const { settings, progress, failing, handlers } = this.parts;
    const generation = this.#generation;
    const handler = handlers.get(topic);
    if (handler === undefined) throw new Error(`No handler for ${topic}`);
    const heartbeat = startHeartbeat(() => payload.heartbeat(), settings.heartbeatIntervalMs);
    try {
      for (const messages of chunkRecords(payload.batch.messages, settings.chunk)) {
        if (!payload.isRunning() || payload.isStale() || heartbeat.hasFailed()) break;
        if (!settings.admits()) {
          this.#pause(payload, settings.admitPollMs, settings.admits);
          break;
        }
        const ended = progress.handlerStarted();
        try {
          await handler({ topic, partition, messages: messages.map(toKafkaRecord) });
        } catch (error) {
          this.#pause(payload, failing.failed(topic, partition, error));
          break;
        } finally {
          ended();
        }
        failing.succeeded(topic, partition);
        if (generation !== this.#generation) break;
        const last = messages.at(-1)?.offset ?? payload.batch.lastOffset();
        payload.resolveOffset(last);
        await payload.commitOffsetsIfNecessary(payload.uncommittedOffsets());
        progress.handled(topic, partition, messages.length, BigInt(last) + 1n, BigInt(highWatermark));
      }
    } finally {
      heartbeat.stop();
    }
  }

  /**
   * Nothing was resolved, so that the next fetch after the pause brings the same records. Other partitions go on.
   * @param mayGoOn asked after the pause, and after as many more as it takes: what is fetched before would be dropped
   */
  #pause(payload: EachBatchPayload, forMs: number, mayGoOn: () => boolean = () => true): void {
    const resume = payload.pause();
    const wait = (): void => {
      const timer = setTimeout(() => {
        this.#resumeTimers.delete(timer);
        if (!mayGoOn()) wait();
        else if (!this.#places.areSought()) resume();
      }, forMs);
      this.#resumeTimers.add(timer);
    };
    wait();
  }

  async #close(): Promise<void> {
    const { closeLimitMs } = this.parts.settings;
    this.#places.end();
    const isStarted = await settledWithin(this.#started, closeLimitMs);
    // Waits for the running handlers and leaves the group.
    await settledWithin(this.#consumer.disconnect(), closeLimitMs);
    for (const timer of this.#resumeTimers) clearTimeout(timer);
    if (!isStarted) {
      void this.#started.catch(() => undefined).then(() => this.#consumer.disconnect().catch(() => undefined));
    }
    this.parts.progress.assign({});
  }
}
