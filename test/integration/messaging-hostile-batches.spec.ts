/**
 * Compressed record batches. Real: the broker and kafkajs. The producer is kafkajs itself, since ours never compresses.
 */
import { gzipSync } from 'node:zlib';
import { topicSpecs } from '@v402/messaging';
import kafkajs, { type Message } from 'kafkajs';
import { FAST, MessagingScene, recorder } from '../support/messaging.js';
import { until } from '../support/until.js';

const { CompressionCodecs, CompressionTypes, Kafka } = kafkajs;
const brokers = process.env.V402_TEST_KAFKA_BROKERS?.split(',') ?? [];
let scene: MessagingScene;

beforeEach(() => {
  scene = new MessagingScene({ brokers, clientId: 'hostile-batches-spec' });
});

afterEach(async () => {
  await scene.close();
});

/** One record batch, compressed with gzip. */
async function sendCompressed(messages: Message[]): Promise<void> {
  const kafka = new Kafka({
    brokers,
    clientId: 'hostile',
    connectionTimeout: 30_000,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const codec = CompressionCodecs[CompressionTypes.GZIP];
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(gzipSync(buffer)),
  });
  try {
    await producer.connect();
    await producer.send({ topic: scene.contracts, messages, compression: CompressionTypes.GZIP });
  } finally {
    CompressionCodecs[CompressionTypes.GZIP] = codec;
    await producer.disconnect();
  }
}

const last = { key: 'k', value: 'last' };
const hasLast = (records: readonly { value: Buffer | null }[]): boolean => records.at(-1)?.value?.toString() === 'last';

describe('compressed', () => {
  const bomb = [{ key: 'k', value: Buffer.alloc(60_000_000) }];

  test('the broker stores it uncompressed, so it is read; what would burst is refused there', async () => {
    await scene.createTopics(1);
    await expect(sendCompressed(bomb)).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    await sendCompressed([{ key: 'k', value: 'x'.repeat(100_000) }, last]);
    const { take, records } = recorder();
    await scene.consume(take);
    await until(() => hasLast(records));
    expect(records.map(({ value }) => value?.length)).toEqual([100_000, 4]);
  });

  test('a topic that keeps the codec is not read at all, and the consumer says what to do, instead of bursting', async () => {
    const [spec] = topicSpecs(scene.prefix, { partitions: 1, replicationFactor: 1 });
    await scene.topics.create([{ ...spec!, config: { ...spec!.config, 'compression.type': 'producer' } }]);
    await sendCompressed(bomb);
    const { take, records } = recorder();
    const running = await scene.consume(take, FAST);
    expect(running.progress().sinceUnreadableMs).toBeNull();
    await until(() => running.lines.some((line) => line.includes('compression.type=uncompressed')));
    // It joins its group again and again, and remembers why it moves nothing there.
    await until(() => running.progress().state === 'consuming');
    expect(running.progress().sinceUnreadableMs).not.toBeNull();
    expect(records).toEqual([]);
  });
});
