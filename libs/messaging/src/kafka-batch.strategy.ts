import { EventEmitter } from 'node:events';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { BatchConsumer } from './batch-consumer.js';
import type { ConsumerProgress, ConsumerStatus } from './consumer-progress.js';
import { CONSUMER_DEFAULTS, type ConsumerSettings, type Placement } from './consumer-settings.js';
import { KAFKA_BATCH_TRANSPORT } from './kafka-batch-handler.decorator.js';
import type { KafkaBatchConsumer } from './kafka-batch.js';
import type { KafkaConnection, KafkaLog } from './kafka-client.js';

export interface KafkaBatchOptions {
  readonly connection: KafkaConnection;
  readonly log: KafkaLog;
  /** Put before the topic of every `@KafkaBatchHandler`; empty for none. */
  readonly topicPrefix: string;
  /** The group, and whatever shall differ from the defaults. */
  readonly consumer: Pick<ConsumerSettings, 'groupId'> & Partial<Omit<ConsumerSettings, 'admits' | 'place'>>;
}

interface KafkaBatchEvents extends Record<string, (status: ConsumerStatus) => void> {
  status: (status: ConsumerStatus) => void;
}

/**
 * A NestJS transport that takes Kafka records in batches and hands them, unparsed and in order, to the `@KafkaBatchHandler` of
 * their topic. At least once: offsets are committed after the handler's promise resolved, and nothing is ever skipped. A batch
 * whose handler rejects comes again after a backoff, while other partitions go on; what to do about a poisonous record is the
 * handler's decision. A broker or a topic that is away is waited for; `listen` does not wait for either.
 */
export class KafkaBatchStrategy extends Server<KafkaBatchEvents> implements CustomTransportStrategy {
  override readonly transportId = KAFKA_BATCH_TRANSPORT;
  override readonly propagatesEventHandlerErrors = true;
  readonly #events = new EventEmitter();
  #consumer: BatchConsumer | null = null;
  #admits = (): boolean => true;
  #place: Placement | undefined;

  constructor(private readonly options: KafkaBatchOptions) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    try {
      const { connection, consumer, log } = this.options;
      const settings: ConsumerSettings = {
        ...CONSUMER_DEFAULTS,
        ...consumer,
        admits: () => this.#admits(),
        place: this.#place,
      };
      this.#consumer = new BatchConsumer(connection, settings, this.#handlersByTopic(), log, (status) => {
        this.#events.emit('status', status);
      });
      this.#consumer.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  async close(): Promise<void> {
    await this.#consumer?.close();
  }

  /** Tells each change of the consumer's state. */
  on<K extends keyof KafkaBatchEvents>(event: K, callback: KafkaBatchEvents[K]): void {
    this.#events.on(String(event), callback);
  }

  unwrap(): never {
    throw new Error('The Kafka batch transport has no lasting client: its consumer is made anew after a failure');
  }

  /** From here on batches are handed on only while this says so; what waits, waits in Kafka. */
  admitWhile(admits: () => boolean): void {
    this.#admits = admits;
  }

  /** To be called before `listen`: consumption begins where this says, at each assignment. */
  placeBy(place: Placement): void {
    this.#place = place;
  }

  /** Asks anew where consumption begins, as after an assignment. */
  placeAnew(): void {
    this.#consumer?.placeAnew();
  }

  /** Readiness and health: whether the consumer moves. `null` before `listen`. */
  progress(): ConsumerProgress | null {
    return this.#consumer?.progress() ?? null;
  }

  #handlersByTopic(): ReadonlyMap<string, KafkaBatchConsumer> {
    const handlers = new Map<string, KafkaBatchConsumer>();
    for (const [pattern, handler] of this.getHandlers()) {
      if (handler.next !== undefined) throw new Error(`Topic ${pattern} has two handlers: one batch, one transaction`);
      handlers.set(`${this.options.topicPrefix}${pattern}`, this.#toConsumer(handler));
    }
    if (handlers.size === 0) throw new Error('The Kafka batch transport has no handler: add a @KafkaBatchHandler');
    return handlers;
  }

  /** Nest returns a handler's outcome as an observable or as a value; the batch is done when it completes. */
  #toConsumer(handler: MessageHandler): KafkaBatchConsumer {
    return async (batch) => {
      const outcome: unknown = await handler(batch);
      await lastValueFrom(this.transformToObservable(outcome), { defaultValue: undefined });
    };
  }
}
