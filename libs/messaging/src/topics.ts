import type { TopicSpec } from './kafka-topics.js';

/** The topics of this system, by what they carry. A deployment may put one prefix before all of them. */
export const TOPICS = {
  contracts: 'v402.settlement.contracts.v1',
  events: 'v402.settlement.events.v1',
  payments: 'v402.payments.v1',
  deliveries: 'v402.deliveries.v1',
  rejections: 'v402.settlement.rejections.v1',
} as const;

export type TopicKey = keyof typeof TOPICS;

export function topicName(prefix: string, key: TopicKey): string {
  return `${prefix}${TOPICS[key]}`;
}

/** Large enough for a value of ten million bytes in its record batch. */
const INPUT_MAX_BYTES = 12 * 1024 * 1024;

/**
 * What the topics are created with. Arrival is the broker's time, so that a redelivered record is decided alike. The broker
 * decompresses input, because this client reads no codec: the broker then also refuses what is too large only once it is
 * decompressed.
 */
const INPUT_CONFIG = {
  'message.timestamp.type': 'LogAppendTime',
  'max.message.bytes': String(INPUT_MAX_BYTES),
  'compression.type': 'uncompressed',
} as const;

/** An event has at most 900,000 bytes; whatever the broker's default is, its topics take one. */
const OUTPUT_CONFIG = { 'max.message.bytes': String(1024 * 1024) } as const;

/**
 * On how many brokers a record of a topic with so many replicas has to be before it is acknowledged. What one broker alone
 * confirmed is lost with it; of two or one, none can be done without.
 */
export const wantedInSync = (replicationFactor: number): number => (replicationFactor < 3 ? 1 : 2);

/** Every topic of the system, ready for `KafkaTopics.create`. */
export function topicSpecs(prefix: string, size: Pick<TopicSpec, 'partitions' | 'replicationFactor'>): TopicSpec[] {
  const inSync = String(wantedInSync(size.replicationFactor));
  const spec = (key: TopicKey, config: TopicSpec['config']): TopicSpec => ({
    topic: topicName(prefix, key),
    ...size,
    // Where the broker chooses the number of replicas, its own setting holds.
    config: size.replicationFactor < 1 ? config : { ...config, 'min.insync.replicas': inSync },
  });
  return [
    spec('contracts', INPUT_CONFIG),
    spec('events', OUTPUT_CONFIG),
    spec('payments', OUTPUT_CONFIG),
    spec('deliveries', OUTPUT_CONFIG),
    spec('rejections', OUTPUT_CONFIG),
  ];
}
