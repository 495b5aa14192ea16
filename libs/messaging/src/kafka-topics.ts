import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { createKafka, type KafkaConnection, type KafkaLog } from './kafka-client.js';
import type { TimestampType } from './kafka-batch.js';
import { protocolErrorType } from './kafka-failure.js';
import { ConfigResourceTypes } from './kafkajs.js';
import { wantedInSync } from './topics.js';

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Topic settings by Kafka's names; the broker's defaults hold for the rest. */
  readonly config: Readonly<Record<string, string>>;
}

/** What the broker says about a topic. Settings are `null` where this user may not read them. */
export type TopicFacts =
  | { readonly topic: string; readonly exists: false }
  | {
      readonly topic: string;
      readonly exists: true;
      readonly partitions: number;
      /** On how many brokers each record is, of the partition that has the fewest. */
      readonly replicationFactor: number;
      /** On how many of them it has to be before it is acknowledged. */
      readonly minInSyncReplicas: number | null;
      /** Whether that is enough for what is acknowledged to outlive any one broker, where there are as many as that takes. */
      readonly isReplicationSafe: boolean | null;
      readonly timestampType: TimestampType | null;
      /** Largest record batch in bytes. */
      readonly maxMessageBytes: number | null;
      /** How the broker stores records: Kafka's `compression.type`; `producer` for each as it was sent. */
      readonly compression: string | null;
      /** Whether a consumer of this library can read every record under that: it reads no codec. */
      readonly isCompressionReadable: boolean | null;
    };

/** Looks at topics and creates them. Each call connects and disconnects by itself. */
export class KafkaTopics {
  readonly #kafka: Kafka;

  constructor(connection: KafkaConnection, log: KafkaLog) {
    this.#kafka = createKafka(connection, log);
  }

  /** Facts about each topic, in the order asked for. */
  async inspect(topics: readonly string[]): Promise<readonly TopicFacts[]> {
    return withAdmin(this.#kafka, async (admin) => {
      const visible = new Set(await admin.listTopics());
      const existing = topics.filter((topic) => visible.has(topic));
      if (existing.length === 0) return topics.map((topic) => ({ topic, exists: false }));
      const sizes = await topicSizes(admin, existing);
      const settings = await topicSettings(admin, existing);
      return topics.map((topic) => {
        const size = sizes.get(topic);
        if (size === undefined) return { topic, exists: false };
        const readable = settings.get(topic) ?? UNREADABLE;
        return { topic, exists: true, ...size, ...readable, isReplicationSafe: isSafe(size, readable) };
      });
    });
  }

  /**
   * Creates what is missing, waits until all can be used, and returns the names of those it made. A topic that exists is left
   * as it is, whatever its settings.
   */
  async create(specs: readonly TopicSpec[]): Promise<readonly string[]> {
    return withAdmin(this.#kafka, async (admin) => {
      const visible = new Set(await admin.listTopics());
      const created: string[] = [];
      for (const spec of specs.filter(({ topic }) => !visible.has(topic))) {
        // One request each, since kafkajs tells "one of them exists" only of a request as a whole. Nor does its own wait do: it
        // fails when the controller has made the topic and the broker has not heard of it yet.
        const isNew = await admin.createTopics({
          waitForLeaders: false,
          timeout: READY_WITHIN_MS,
          topics: [
            {
              topic: spec.topic,
              numPartitions: spec.partitions,
              replicationFactor: spec.replicationFactor,
              configEntries: Object.entries(spec.config).map(([name, value]) => ({ name, value })),
            },
          ],
        });
        if (isNew) created.push(spec.topic);
      }
      await untilReady(
        admin,
        specs.map(({ topic }) => topic),
      );
      return created;
    });
  }

  /** How many records each topic holds now: exact where no transactions and no compaction are used. */
  async recordCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return withAdmin(this.#kafka, async (admin) => {
      const counts = new Map<string, number>();
      for (const topic of topics) {
        const offsets = await admin.fetchTopicOffsets(topic);
        counts.set(
          topic,
          offsets.reduce((sum, { low, high }) => sum + Number(BigInt(high) - BigInt(low)), 0),
        );
      }
      return counts;
    });
  }

  /** Deletes topics with all that is in them. */
  async remove(topics: readonly string[]): Promise<void> {
    await withAdmin(this.#kafka, (admin) => admin.deleteTopics({ topics: [...topics] }));
  }
}

/** Those of the given topics that exist and that this user may see. */
export async function existingTopics(kafka: Kafka, topics: readonly string[]): Promise<readonly string[]> {
  const visible = new Set(await withAdmin(kafka, (admin) => admin.listTopics()));
  return topics.filter((topic) => visible.has(topic));
}

export async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

const READY_WITHIN_MS = 10_000;
const READY_POLL_MS = 20;
const NOT_READY_TYPES = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'];

/** Waits until the broker knows a leader for every partition; throws the broker's answer if that takes too long. */
async function untilReady(admin: Admin, topics: readonly string[]): Promise<void> {
  const endMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics: [...topics] });
      return;
    } catch (error) {
      const isPassing = NOT_READY_TYPES.includes(protocolErrorType(error) ?? '');
      if (!isPassing || performance.now() > endMs) throw error;
      await delay(READY_POLL_MS);
    }
  }
}

type TopicSize = Pick<TopicFacts & { exists: true }, 'partitions' | 'replicationFactor'>;

async function topicSizes(admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, TopicSize>> {
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
  return new Map(
    metadata.topics.map(({ name, partitions }) => {
      const replicationFactor = Math.min(...partitions.map(({ replicas }) => replicas.length));
      return [name, { partitions: partitions.length, replicationFactor }];
    }),
  );
}

type TopicSettings = Omit<TopicFacts & { exists: true }, 'topic' | 'exists' | 'isReplicationSafe' | keyof TopicSize>;

const isSafe = ({ replicationFactor }: TopicSize, { minInSyncReplicas }: TopicSettings): boolean | null =>
  minInSyncReplicas === null ? null : minInSyncReplicas >= wantedInSync(replicationFactor);

const UNREADABLE: TopicSettings = {
  minInSyncReplicas: null,
  timestampType: null,
  maxMessageBytes: null,
  compression: null,
  isCompressionReadable: null,
};
const TIMESTAMP_TYPE = 'message.timestamp.type';
const MAX_MESSAGE_BYTES = 'max.message.bytes';
const COMPRESSION = 'compression.type';
const MIN_IN_SYNC = 'min.insync.replicas';
const READABLE_COMPRESSION = 'uncompressed';

async function topicSettings(admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
  const configNames = [TIMESTAMP_TYPE, MAX_MESSAGE_BYTES, COMPRESSION, MIN_IN_SYNC];
  const resources = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames }));
  try {
    const described = await admin.describeConfigs({ includeSynonyms: false, resources });
    return new Map(
      described.resources.map(({ resourceName, configEntries }) => {
        const values = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
        const maxMessageBytes = values.get(MAX_MESSAGE_BYTES);
        const compression = values.get(COMPRESSION);
        const minInSync = values.get(MIN_IN_SYNC);
        return [
          resourceName,
          {
            minInSyncReplicas: minInSync === undefined ? null : Number(minInSync),
            timestampType: values.get(TIMESTAMP_TYPE) === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
            maxMessageBytes: maxMessageBytes === undefined ? null : Number(maxMessageBytes),
            compression: compression ?? null,
            isCompressionReadable: compression === undefined ? null : compression === READABLE_COMPRESSION,
          },
        ];
      }),
    );
  } catch (error) {
    if (protocolErrorType(error) === 'TOPIC_AUTHORIZATION_FAILED') return new Map();
    throw error;
  }
}
