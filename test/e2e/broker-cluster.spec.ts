import type { ChildProcess } from 'node:child_process';
import { startLocalParts, type KafkaNode, type LocalParts } from '@v402/local-parts';
import { KafkaEventProducer, KafkaTopics, readTopic } from '@v402/messaging';
import { v402 } from '../support/cli.js';
import { publishedViolations } from '../support/oracle.js';
import { SettlementScene } from '../support/settlement-scene.js';
import { trade } from '../support/trade.js';
import { until } from '../support/until.js';

/** Real: a Kafka of three brokers, PostgreSQL, the roles as apps of their own, the command line. */
let parts: LocalParts;
let scene: SettlementScene;
let nodes: readonly KafkaNode[];
let relay: ChildProcess;
let sent = 0;

beforeAll(async () => {
  parts = await startLocalParts({ embedded: true, kafkaBrokers: 3 });
  const { kafka, postgres } = parts;
  nodes = kafka.nodes;
  scene = await SettlementScene.open({ parts: { brokers: kafka.brokers, adminUrl: postgres.adminUrl }, topics: false });
});

afterAll(async () => {
  await scene.close();
  await parts.stop();
});

/** Whether it was done. */
const answers = [(): boolean => true, (): boolean => false] as const;

/** Sends contracts as an agent does: again, until they are acknowledged. */
async function send(count: number): Promise<void> {
  const envelopes = Array.from({ length: count }, () => trade({ negotiationId: `cluster-${(sent += 1)}` }).envelope);
  await until(() => scene.send(envelopes).then(...answers), { everyMs: 200 });
}

const allAccepted = (): Promise<void> =>
  scene.until('all accepted', async () => (await scene.count('v402.settlement')) === sent);

const allOrdered = (): Promise<void> =>
  scene.until('all ordered', async () => (await scene.count('orderbook.order_head')) === 2 * sent);

test('topics are made so that what is acknowledged outlives any one broker', async () => {
  const env = scene.environment();
  const size = ['--partitions', '3', '--replication-factor', '3'];
  const { status, stdout } = await v402(['topics', 'create', ...size, '--json'], { env });
  expect(status).toBe(0);
  const { topics } = JSON.parse(stdout) as { topics: object[] };
  expect(topics).toHaveLength(5);
  for (const topic of topics) {
    expect(topic).toMatchObject({ partitions: 3, replicationFactor: 3, minInSyncReplicas: 2, isReplicationSafe: true });
  }
});

test('a batch for several brokers of which one stops is acknowledged when all of it is there, and not before', async () => {
  const { brokers } = parts.kafka;
  const topic = 'batches';
  const topics = new KafkaTopics({ brokers, clientId: 'cluster' }, () => undefined);
  await topics.create([{ topic, partitions: 3, replicationFactor: 3, config: { 'min.insync.replicas': '2' } }]);
  const producer = new KafkaEventProducer({ brokers, clientId: 'cluster' }, () => undefined);
  const acknowledged: string[] = [];
  const sendBatch = async (): Promise<void> => {
    const keys = Array.from({ length: 12 }, (_, index) => `${acknowledged.length + index}`);
    const records = keys.map((key) => ({ topic, key, value: Buffer.from(key) }));
    const isSent = (): Promise<boolean> => producer.send(records).then(...answers);
    await until(isSent, { everyMs: 100 });
    acknowledged.push(...keys);
  };
  // As brokers are restarted one by one: each hands its partitions over while a batch is on its way.
  for (const node of nodes) {
    await sendBatch();
    const stop = { isDone: false };
    const stopping = node.stop().then(() => {
      stop.isDone = true;
    });
    while (!stop.isDone) await sendBatch();
    await stopping;
    await sendBatch();
    await node.start();
  }
  await producer.close();
  const there = new Set((await readTopic({ brokers, clientId: 'cluster' }, topic)).map(({ key }) => String(key)));
  expect(acknowledged.filter((key) => !there.has(key))).toEqual([]);
});

test('each broker dies in turn while contracts come: all of them are settled once', async () => {
  for (const role of ['intake', 'orders', 'workflows'] as const) scene.start(role);
  relay = scene.start('relay');
  for (const node of nodes) {
    await send(10);
    await node.kill();
    await send(10);
    await allAccepted();
    await node.start();
  }
  await allOrdered();
  await scene.settled();
  expect(await publishedViolations(scene)).toEqual([]);
});

test('two of three are gone: nothing passes for published, and nothing is lost', async () => {
  await scene.kill(relay);
  await send(5);
  await allOrdered();
  await scene.until('no work is due', async () => (await scene.count('v402.work WHERE due_at <= now()')) === 0);
  await Promise.all(nodes.slice(1).map((node) => node.kill()));
  const waiting = await scene.count('v402.outbox');
  const said = scene.log('relay').length;
  scene.start('relay');
  const saysSo = (): boolean => scene.log('relay').slice(said).includes('"broker_unavailable"');
  await scene.until('the relay says so', () => Promise.resolve(saysSo()));
  expect(waiting).toBeGreaterThan(0);
  expect(await scene.count('v402.outbox')).toBe(waiting);

  await Promise.all(nodes.map((node) => node.start()));
  await send(5);
  await allOrdered();
  await scene.settled();
  expect(await publishedViolations(scene)).toEqual([]);
  const window = ['--from', '2020-01-01T00:00:00Z', '--to', new Date().toISOString(), '--grace-seconds', '0'];
  expect(await v402(['reconcile', ...window], { env: scene.environment() })).toMatchObject({ status: 0 });
});
