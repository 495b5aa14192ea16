import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin, type Transaction } from 'kafkajs';
import { KafkaTopics, topicName, topicSpecs } from '@v402/messaging';
import { until } from './until.js';

const quiet = { logLevel: kafkajs.logLevel.NOTHING };

/** Does to the contracts topic of a deployment what its operators can do, for better or worse. */
export class ContractsTopic {
  readonly name: string;
  readonly #kafka: kafkajs.Kafka;

  constructor(
    private readonly brokers: readonly string[],
    private readonly prefix: string,
  ) {
    this.name = topicName(prefix, 'contracts');
    this.#kafka = new kafkajs.Kafka({ brokers: [...brokers], clientId: 'topic-admin', ...quiet });
  }

  /** As retention does: removes what stands before the offset; -1 for everything. */
  async removeBefore(partition: number, offset: bigint): Promise<void> {
    const partitions = [{ partition, offset: offset.toString() }];
    await this.#asked(async (admin) => {
      // kafkajs deletes only from topics that it has heard of.
      await admin.fetchTopicOffsets(this.name);
      await admin.deleteTopicRecords({ topic: this.name, partitions });
    });
  }

  async addPartitions(count: number): Promise<void> {
    await this.#asked((admin) => admin.createPartitions({ topicPartitions: [{ topic: this.name, count }] }));
  }

  /** Deletes the topic and makes it anew. */
  async recreate(partitions: number): Promise<void> {
    await this.#asked(async (admin) => {
      await admin.deleteTopics({ topics: [this.name] });
      // The broker hears of it a moment after the controller: what it still lists would not be made.
      await until(async () => !(await admin.listTopics()).includes(this.name));
    });
    const topics = new KafkaTopics({ brokers: this.brokers, clientId: 'topic-admin' }, () => undefined);
    await topics.create(topicSpecs(this.prefix, { partitions, replicationFactor: 1 }));
  }

  /** Sets the offset of a group without members. */
  async moveGroup(groupId: string, partition: number, offset: bigint): Promise<void> {
    const partitions = [{ partition, offset: offset.toString() }];
    await this.#asked((admin) => admin.setOffsets({ groupId, topic: this.name, partitions }));
  }

  /** How many members a group has that each know their partitions; 0 while it rebalances. */
  async members(groupId: string): Promise<number> {
    const { groups } = await this.#asked((admin) => admin.describeGroups([groupId]));
    return groups.reduce((count, { state, members }) => count + (state === 'Stable' ? members.length : 0), 0);
  }

  /**
   * Resolves when the broker has answered every request for records that it had before: one that comes later, and waits as
   * long or longer, has been answered with nothing.
   */
  async untilNobodyWaits(): Promise<void> {
    const consumer = this.#kafka.consumer({ groupId: `v402-reader-${randomUUID()}`, maxWaitTimeInMs: 1_000 });
    const answered = new Promise((resolve) => consumer.on(consumer.events.FETCH, resolve));
    try {
      await consumer.connect();
      await consumer.subscribe({ topic: this.name, fromBeginning: false });
      await consumer.run({ eachBatch: () => Promise.resolve() });
      await answered;
    } finally {
      await consumer.disconnect();
    }
  }

  async high(partition: number): Promise<bigint> {
    const offsets = await this.#asked((admin) => admin.fetchTopicOffsets(this.name));
    return BigInt(offsets.find((each) => each.partition === partition)?.high ?? -1);
  }

  async set(setting: string, value: string): Promise<void> {
    const configEntries = [{ name: setting, value }];
    const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: this.name, configEntries }];
    await this.#asked((admin) => admin.alterConfigs({ validateOnly: false, resources }));
  }

  /** Sends the values to partition 0, each in a transaction of its own. */
  async sendInTransactions(values: readonly Uint8Array[], end: 'commit' | 'abort'): Promise<void> {
    const producer = this.#kafka.producer({
      transactionalId: `${this.prefix}tx`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    try {
      for (const value of values) {
        const transaction: Transaction = await producer.transaction();
        await transaction.send({ topic: this.name, messages: [{ value: Buffer.from(value), partition: 0 }] });
        await transaction[end]();
      }
    } finally {
      await producer.disconnect();
    }
  }

  async #asked<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }
}
