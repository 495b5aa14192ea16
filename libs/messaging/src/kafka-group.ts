import type { Kafka } from 'kafkajs';
import { createKafka, type KafkaConnection, type KafkaLog } from './kafka-client.js';
import { withAdmin } from './kafka-topics.js';

/** A consumer group, looked at from outside. */
export class KafkaGroup {
  readonly #kafka: Kafka;

  constructor(
    connection: KafkaConnection,
    log: KafkaLog,
    private readonly groupId: string,
  ) {
    this.#kafka = createKafka(connection, log);
  }

  /** How many records of the topic the group has not committed yet. A partition without an offset counts whole. */
  async lag(topic: string): Promise<bigint> {
    return withAdmin(this.#kafka, async (admin) => {
      const [ends, [committed]] = await Promise.all([
        admin.fetchTopicOffsets(topic),
        admin.fetchOffsets({ groupId: this.groupId, topics: [topic] }),
      ]);
      const next = new Map(committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
      return ends.reduce((sum, { partition, low, high }) => {
        const from = next.get(partition) ?? -1n;
        return sum + BigInt(high) - (from < 0n ? BigInt(low) : from);
      }, 0n);
    });
  }

  /** clientIds of the members, of those that wait for a rebalance, too. */
  async members(): Promise<readonly string[]> {
    return withAdmin(this.#kafka, async (admin) => {
      const { groups } = await admin.describeGroups([this.groupId]);
      return groups.flatMap(({ members }) => members.map(({ clientId }) => clientId));
    });
  }

  /**
   * Commits an offset for every partition of the topic, in range or not. The group must have no member.
   * @param placeBy says where, by the offset after the partition's last record
   */
  async moveTo(topic: string, placeBy: (end: bigint) => bigint): Promise<void> {
    await withAdmin(this.#kafka, async (admin) => {
      const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
        partition,
        offset: placeBy(BigInt(high)).toString(),
      }));
      await admin.setOffsets({ groupId: this.groupId, topic, partitions });
    });
  }
}
