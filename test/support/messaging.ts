/** Topics, a producer and consumers of a test's own, on a real broker. */
import { randomUUID } from 'node:crypto';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { CustomStrategy } from '@nestjs/microservices';
import {
  KafkaBatchHandler,
  KafkaBatchStrategy,
  KafkaEventProducer,
  KafkaTopics,
  topicName,
  topicSpecs,
  type ConsumerProgress,
  type ConsumerSettings,
  type KafkaBatch,
  type KafkaConnection,
  type KafkaRecord,
  type TopicKey,
} from '@v402/messaging';

/**
 * Short times, so that every wait of the transport happens within a test; but a member that a busy machine stops for some
 * seconds keeps its partitions, and closing waits for what runs.
 */
export const FAST = {
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 300,
  rebalanceTimeoutMs: 5_000,
  maxWaitMs: 50,
  backoff: { firstMs: 50, maxMs: 300 },
  topicPollMs: 200,
  closeLimitMs: 30_000,
} satisfies Partial<ConsumerSettings>;

/** The Kafka of the test run. */
export const testConnection = (clientId: string): KafkaConnection => ({
  brokers: process.env['V402_TEST_KAFKA_BROKERS']?.split(',') ?? [],
  clientId,
});

export interface RunningConsumer {
  /** What it logged above `debug`. */
  readonly lines: string[];
  readonly progress: () => ConsumerProgress;
  readonly admitWhile: (admits: () => boolean) => void;
  readonly close: () => Promise<void>;
}

export class MessagingScene {
  readonly prefix = `t-${randomUUID()}.`;
  readonly contracts = this.topic('contracts');
  readonly topics: KafkaTopics;
  readonly producer: KafkaEventProducer;
  readonly #closers: (() => Promise<unknown>)[] = [];

  constructor(readonly connection: KafkaConnection) {
    this.topics = new KafkaTopics(connection, () => undefined);
    this.producer = new KafkaEventProducer(connection, () => undefined);
    this.onClose(() => this.producer.close());
  }

  topic(key: TopicKey): string {
    return topicName(this.prefix, key);
  }

  async createTopics(partitions: number): Promise<void> {
    await this.topics.create(topicSpecs(this.prefix, { partitions, replicationFactor: 1 }));
  }

  /** Sends the numbers from `from` up to, but without, `to` as contracts, each under a key of its own. */
  async sendNumbers(from: number, to: number): Promise<void> {
    const records = range(to).slice(from);
    await this.producer.send(
      records.map((n) => ({ topic: this.contracts, key: `key-${n}`, value: Buffer.from(String(n)) })),
    );
  }

  async consume(
    handle: (batch: KafkaBatch) => Promise<void>,
    settings: Partial<ConsumerSettings> = {},
    clientId = this.connection.clientId,
  ): Promise<RunningConsumer> {
    @Controller()
    class Intake {
      @KafkaBatchHandler('contracts')
      async take(batch: KafkaBatch): Promise<void> {
        await handle(batch);
      }
    }
    @Module({ controllers: [Intake] })
    class IntakeModule {}

    const lines: string[] = [];
    const strategy = new KafkaBatchStrategy({
      connection: { ...this.connection, clientId },
      topicPrefix: this.prefix,
      consumer: { groupId: `${this.prefix}group`, ...FAST, ...settings },
      log: (level, message) => {
        if (level !== 'debug') lines.push(`${level} ${message}`);
      },
    });
    const app = await NestFactory.createMicroservice<CustomStrategy>(IntakeModule, { strategy, logger: false });
    await app.listen();
    let closing: Promise<void> | null = null;
    const close = (): Promise<void> => (closing ??= app.close());
    this.onClose(close);
    const admitWhile = (admits: () => boolean): void => {
      strategy.admitWhile(admits);
    };
    return { lines, close, admitWhile, progress: () => strategy.progress()! };
  }

  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

export interface RecordedRecord extends KafkaRecord {
  readonly partition: number;
}

/** A handler that keeps what it was handed, in that order. */
export function recorder(): { take: (batch: KafkaBatch) => Promise<void>; records: RecordedRecord[] } {
  const records: RecordedRecord[] = [];
  return {
    records,
    take: ({ partition, messages }) => {
      for (const message of messages) records.push({ ...message, partition });
      return Promise.resolve();
    },
  };
}

export const numbers = (records: readonly KafkaRecord[]): number[] =>
  records.map(({ value }) => Number(value?.toString()));

export const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The whole numbers from 0 up to, but without, `to`. */
export const range = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

/** How many records the group has committed, all partitions together, as the consumer's progress has it. */
export const committed = (running: RunningConsumer): bigint =>
  running.progress().assigned.reduce((sum, { nextOffset }) => sum + (nextOffset ?? 0n), 0n);
