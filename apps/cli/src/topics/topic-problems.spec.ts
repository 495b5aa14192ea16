import type { TopicSpec } from '@v402/messaging';
import { topicProblems } from './topic-problems.js';

const contracts: TopicSpec = {
  topic: 'contracts',
  partitions: 1,
  replicationFactor: 1,
  config: {
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': '12000000',
    'compression.type': 'uncompressed',
  },
};
const events: TopicSpec = { ...contracts, topic: 'events', config: {} };
const facts = {
  topic: 'contracts',
  exists: true,
  partitions: 3,
  replicationFactor: 3,
  minInSyncReplicas: 2,
  isReplicationSafe: true,
  timestampType: 'LogAppendTime',
  maxMessageBytes: 12_000_000,
  compression: 'uncompressed',
  isCompressionReadable: true,
} as const;

test('a topic as it would be created has no problem', () => {
  expect(topicProblems(facts, contracts)).toEqual([]);
});

test('a missing topic is said to be missing', () => {
  expect(topicProblems({ topic: 'contracts', exists: false }, contracts)).toEqual(['is missing']);
});

test("a producer's timestamps are a problem where arrival is read from them, and nowhere else", () => {
  const byProducer = { ...facts, timestampType: 'CreateTime' } as const;
  expect(topicProblems(byProducer, contracts)).toEqual([
    'message.timestamp.type is CreateTime, should be LogAppendTime',
  ]);
  expect(topicProblems(byProducer, events)).toEqual([]);
});

test('a limit below the largest message is a problem, the limit itself is none', () => {
  expect(topicProblems({ ...facts, maxMessageBytes: 11_999_999 }, contracts)).toEqual([
    'max.message.bytes is 11999999, should be at least 12000000',
  ]);
});

test("a producer's codec is a problem where it is read here, and nowhere else", () => {
  const byProducer = { ...facts, compression: 'producer', isCompressionReadable: false } as const;
  expect(topicProblems(byProducer, contracts)).toEqual([
    'compression.type is producer, should be uncompressed: no codec is read',
  ]);
  expect(topicProblems(byProducer, events)).toEqual([]);
  expect(topicProblems({ ...facts, compression: 'gzip', isCompressionReadable: false }, contracts)).toHaveLength(1);
});

test("Kafka's default limit is enough for events, less than an event is not", () => {
  expect(topicProblems({ ...facts, maxMessageBytes: 1_048_588 }, events)).toEqual([]);
  expect(topicProblems({ ...facts, maxMessageBytes: 900_000 }, events)).toHaveLength(1);
});

test('settings that may not be read are said, since they may be wrong', () => {
  const hidden = {
    ...facts,
    timestampType: null,
    maxMessageBytes: null,
    compression: null,
    isCompressionReadable: null,
  };
  expect(topicProblems(hidden, contracts)).toEqual(['its settings may not be read by this user']);
});

test('a topic on three brokers of which one may acknowledge alone', () => {
  expect(topicProblems({ ...facts, minInSyncReplicas: 1, isReplicationSafe: false }, events)).toEqual([
    'min.insync.replicas is 1, should be 2: what one broker confirms alone is lost with it',
  ]);
});
