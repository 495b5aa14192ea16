/**
 * The Kafka producer, and topics. Real: the broker, kafkajs. Each test has topics of its own.
 */
import { RetryableError, TerminalError } from '@v402/domain';
import { KafkaEventProducer, readTopic, topicSpecs } from '@v402/messaging';
import { MessagingScene, numbers, testConnection } from '../support/messaging.js';

const connection = testConnection('messaging-spec');
let scene: MessagingScene;

beforeEach(() => {
  scene = new MessagingScene(connection);
});

afterEach(async () => {
  await scene.close();
});

describe('sending', () => {
  it('puts a key on the partition that a Java client chooses', async () => {
    await scene.createTopics(10);
    // The hashes that Kafka's own UtilsTest expects of its murmur2.
    const hashes = new Map([
      ['21', -973_932_308],
      ['foobar', -790_332_482],
      ['a-little-bit-long-string', -985_981_536],
      ['a-little-bit-longer-string', -1_486_304_829],
    ]);
    const keys = [...hashes.keys()];
    await scene.producer.send(keys.map((key) => ({ topic: scene.contracts, key, value: Buffer.from(key) })));
    const records = await readTopic(connection, scene.contracts);
    const partitions = new Map(records.map(({ key, partition }) => [key?.toString(), partition]));
    expect(keys.map((key) => partitions.get(key))).toEqual(
      [...hashes.values()].map((hash) => (hash & 0x7fffffff) % 10),
    );
  });

  it('names the record that is too large and has sent those before it', async () => {
    await scene.createTopics(1);
    const topic = scene.topic('events');
    const record = (bytes: number) => ({ topic, key: 'k', value: Buffer.alloc(bytes, 'e') });
    const sent = scene.producer.send([record(1), record(2), record(3_000_000), record(4)]);
    await expect(sent).rejects.toBeInstanceOf(TerminalError);
    await expect(sent).rejects.toMatchObject({
      code: 'record_too_large',
      context: { topic, index: 2, bytes: 3_000_000 },
    });
    await scene.producer.send([record(5)]);
    const sizes = (await readTopic(connection, topic)).map(({ value }) => value?.length);
    expect(sizes).toEqual([1, 2, 5]);
  });

  it('finds the record that is too large within one request', async () => {
    const topic = `${scene.prefix}small`;
    const config = { 'max.message.bytes': '1000' };
    await scene.topics.create([{ topic, partitions: 1, replicationFactor: 1, config }]);
    const record = (bytes: number) => ({ topic, key: 'k', value: Buffer.alloc(bytes, 'e') });
    const sent = scene.producer.send([record(10), record(20), record(30), record(2_000), record(40)]);
    await expect(sent).rejects.toMatchObject({ code: 'record_too_large', context: { index: 3 } });
    expect((await readTopic(connection, topic)).map(({ value }) => value?.length)).toEqual([10, 20, 30]);
  });

  it('does not let the broker take a new record for a repetition of a refused one', async () => {
    await scene.createTopics(1);
    const small = `${scene.prefix}small`;
    await scene.topics.create([
      { topic: small, partitions: 1, replicationFactor: 1, config: { 'max.message.bytes': '1000' } },
    ]);
    const event = (value: string) => ({ topic: scene.topic('events'), key: 'k', value: Buffer.from(value) });
    // The broker wrote "a", but kafkajs takes the numbers of the whole request back: under the same producer "b" would be lost.
    const sent = scene.producer.send([{ topic: small, key: 'k', value: Buffer.alloc(2_000) }, event('a')]);
    await expect(sent).rejects.toMatchObject({ code: 'record_too_large', context: { index: 0 } });
    await scene.producer.send([event('b')]);
    const values = (await readTopic(connection, scene.topic('events'))).map(({ value }) => value?.toString());
    expect(values).toEqual(['a', 'b']);
  });

  it('says which of several topics is missing and how to create it', async () => {
    const specs = topicSpecs(scene.prefix, { partitions: 1, replicationFactor: 1 });
    const [events, payments] = [scene.topic('events'), scene.topic('payments')];
    await scene.topics.create(specs.filter(({ topic }) => topic === events));
    const record = (topic: string) => ({ topic, key: 'k', value: Buffer.from('v') });
    await expect(scene.producer.send([record(events), record(payments)])).rejects.toMatchObject({
      kind: 'retryable',
      code: 'topic_missing',
      message: `Topic ${payments} does not exist, or this user may not see it: create it (v402 topics) or allow DESCRIBE; the records are sent again later.`,
      context: { topic: payments },
    });
  });

  it('is retryable when no broker answers or the topic is missing', async () => {
    const away = new KafkaEventProducer({ brokers: ['127.0.0.1:1'], clientId: 'away' }, () => undefined);
    const record = { topic: scene.contracts, key: 'k', value: Buffer.from('v') };
    await expect(away.send([record])).rejects.toMatchObject({ kind: 'retryable', code: 'broker_unavailable' });
    await away.close();
    const failed = scene.producer.send([record]);
    await expect(failed).rejects.toBeInstanceOf(RetryableError);
    await expect(failed).rejects.toMatchObject({ code: 'topic_missing', context: { topic: scene.contracts } });
    await scene.createTopics(1);
    await scene.producer.send([record]);
    expect(await readTopic(connection, scene.contracts)).toHaveLength(1);
  });
});

describe('topics', () => {
  it('creates what is missing once, and tells what is there', async () => {
    const specs = topicSpecs(scene.prefix, { partitions: 3, replicationFactor: 1 });
    const names = specs.map(({ topic }) => topic);
    expect(await scene.topics.inspect(names)).toEqual(names.map((topic) => ({ topic, exists: false })));
    expect(await scene.topics.create(specs)).toEqual(names);
    expect(await scene.topics.create(specs)).toEqual([]);
    const [input, output] = await scene.topics.inspect(names);
    expect(input).toMatchObject({ exists: true, partitions: 3, timestampType: 'LogAppendTime' });
    expect(input).toHaveProperty('maxMessageBytes', 12_582_912);
    expect(input).toMatchObject({ compression: 'uncompressed', isCompressionReadable: true });
    expect(output).toMatchObject({ exists: true, partitions: 3, timestampType: 'CreateTime' });
    expect(output).toMatchObject({ compression: 'producer', isCompressionReadable: false });
  });

  it('reads on until a condition holds, and says what it has when it does not', async () => {
    await scene.createTopics(1);
    const reading = readTopic(connection, scene.contracts, { until: (records) => records.length >= 3 });
    await scene.sendNumbers(0, 3);
    expect(numbers(await reading)).toEqual([0, 1, 2]);
    // On a busy machine the reader may take longer than that to get the first record.
    let timeoutMs = 750;
    const readsOn = async (): Promise<string> => {
      timeoutMs *= 2;
      const late = readTopic(connection, scene.contracts, { until: (records) => records.length > 3, timeoutMs });
      const error = await late.catch((reason: unknown) => reason);
      return String(error);
    };
    let said = await readsOn();
    while (said.includes(': 0 records') && timeoutMs < 60_000) said = await readsOn();
    expect(said).toContain(`: 3 records within ${timeoutMs} ms`);
  });
});
