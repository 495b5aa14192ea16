import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { KafkaEventProducer, readTopic, topicName, type KafkaConnection, type TopicKey } from '@v402/messaging';
import { v402 } from '../support/cli.js';
import { documentedPermissions, KafkaAcls, type Permission } from '../support/kafka-acls.js';
import { SettlementScene, SHORT_LEASES } from '../support/settlement-scene.js';
import { trade } from '../support/trade.js';

/** Users by their names in the documentation. Orders needs none: it does not connect to Kafka. */
const USERS = {
  agents: 'agents, gateway',
  intake: 'intake',
  workflows: 'workflows (reconciliation)',
  relay: 'relay',
  connectors: 'connectors',
  creator: '`v402 topics create` (an administrator)',
  checker: '`v402 topics check`',
} as const;
type User = keyof typeof USERS | 'nobody';

const PASSWORDS = Object.fromEntries(
  [...Object.keys(USERS), 'nobody'].map((user) => [user, randomBytes(12).toString('hex')]),
) as Record<User, string>;
const SASL = { mechanism: 'scram-sha-512' } as const;

/** Real: a Kafka that asks for TLS, passwords and ACLs, the roles as apps of their own, PostgreSQL, the command line. */
let parts: LocalParts;
let scene: SettlementScene;
let acls: KafkaAcls;
let permissions: ReadonlyMap<string, readonly Permission[]>;

beforeAll(async () => {
  parts = await startLocalParts({ embedded: true, kafkaUsers: PASSWORDS });
  const { kafka, postgres } = parts;
  scene = await SettlementScene.open({
    parts: { brokers: kafka.brokers, adminUrl: postgres.adminUrl },
    topics: false,
  });
  acls = new KafkaAcls(kafka.brokers);
  permissions = documentedPermissions(scene.prefix);
  for (const user of Object.keys(USERS) as (keyof typeof USERS)[]) await acls.grant(user, granted(user));
});

afterAll(async () => {
  await scene.close();
  await parts.stop();
});

function granted(user: keyof typeof USERS): readonly Permission[] {
  const documented = permissions.get(USERS[user]);
  if (documented === undefined) throw new Error(`docs/threat-model.md does not say what ${user} may do.`);
  return documented;
}

/** How an app or a command of this user comes to Kafka. */
function asUser(user: User): Record<string, string> {
  const { brokers, certificateFile } = parts.kafka.secured!;
  return {
    V402_KAFKA_BROKERS: brokers.join(','),
    V402_KAFKA_TLS: 'yes',
    V402_KAFKA_SASL: SASL.mechanism,
    V402_KAFKA_USERNAME: user,
    V402_KAFKA_PASSWORD: PASSWORDS[user],
    NODE_EXTRA_CA_CERTS: certificateFile,
  };
}

/** The same for a client in this program. */
function connectionOf(user: User): KafkaConnection {
  const { brokers, certificateFile } = parts.kafka.secured!;
  const sasl = { ...SASL, username: user, password: PASSWORDS[user] };
  return { brokers, clientId: user, ssl: { ca: [readFileSync(certificateFile)] }, sasl };
}

async function sendAs(user: User, key: TopicKey, value: Uint8Array): Promise<void> {
  const producer = new KafkaEventProducer(connectionOf(user), () => undefined);
  try {
    await producer.send([{ topic: topicName(scene.prefix, key), key: 'k', value: Buffer.from(value) }]);
  } finally {
    await producer.close();
  }
}

const command = (user: User, ...args: readonly string[]) =>
  v402(args, { env: { ...scene.environment(), ...asUser(user) } });

const reads = async (user: User, key: TopicKey): Promise<number> =>
  (await readTopic(connectionOf(user), topicName(scene.prefix, key))).length;

describe('with the permissions of docs/threat-model.md', () => {
  test('an administrator creates the topics, and who may look at them checks them', async () => {
    expect(await command('creator', 'topics', 'create')).toMatchObject({ status: 0 });
    expect(await command('checker', 'topics', 'check')).toMatchObject({ status: 0, stderr: '' });
  });

  test('each role does its work, agents send, connectors read, and reconciliation proves it', async () => {
    for (const role of ['intake', 'workflows', 'relay'] as const) scene.start(role, asUser(role));
    scene.start('orders');
    const trades = [1, 2, 3].map((number) => trade({ negotiationId: `secured-${number}` }));
    for (const { envelope } of trades) await sendAs('agents', 'contracts', envelope);
    await sendAs('agents', 'contracts', Buffer.from('no json'));
    await scene.until('decided', async () => (await scene.count('v402.settlement')) === 3);
    await scene.until('refused', async () => (await scene.count('v402.rejection')) === 1);
    await scene.until('ordered', async () => (await scene.count('orderbook.order_head')) === 6);
    await scene.settled();
    const published = ['events', 'payments', 'deliveries', 'rejections'] as const;
    const seen = await Promise.all(published.map((key) => reads('connectors', key)));
    expect(seen.reduce((sum, count) => sum + count, 0)).toBe(await scene.count('v402.event'));
    const window = ['--from', '2020-01-01T00:00:00Z', '--to', new Date().toISOString(), '--grace-seconds', '0'];
    expect(await command('workflows', 'reconcile', ...window)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Everything agrees/) as string,
    });
    for (const role of ['intake', 'workflows', 'relay'] as const) {
      expect(scene.log(role)).not.toMatch(/"(code|alarm)":"(authorization|authentication|tls)_failed"/);
    }
  });

  test.each([
    ['agents', 'events'],
    ['intake', 'events'],
    ['workflows', 'payments'],
    ['connectors', 'deliveries'],
    ['connectors', 'contracts'],
    ['relay', 'contracts'],
    ['nobody', 'contracts'],
  ] as const)('error: %s may not write to %s', async (user, key) => {
    await expect(sendAs(user, key, Buffer.from('{}'))).rejects.toMatchObject({ code: 'authorization_failed' });
  });

  test.each([
    ['agents', 'payments'],
    ['intake', 'payments'],
    ['nobody', 'contracts'],
  ] as const)('error: %s may not read %s', async (user, key) => {
    await expect(reads(user, key)).rejects.toMatchObject({ type: 'TOPIC_AUTHORIZATION_FAILED' });
  });
});

describe('permissions that are missing', () => {
  test('intake says so, waits, and goes on by itself when they are there', async () => {
    // It is killed at the end, and others take over the shards of the relay.
    const standalone = scene.start('standalone', { ...asUser('nobody'), ...SHORT_LEASES });
    // Kafka does not tell those who may not see a topic that it is there.
    await scene.untilSaid(/"code":"topic_missing".*or this user may not see it/);
    const [topics, group] = [granted('intake').slice(0, 1), granted('intake').slice(1)];
    await acls.grant('nobody', topics);
    await scene.untilSaid(/"code":"coordinator_not_found"/);
    await acls.grant('nobody', group);
    await scene.untilSaid(/"state":"consuming"/);
    await scene.kill(standalone);
  });

  test('relay holds the events of one topic, says so, and publishes them when it may', async () => {
    const events = granted('relay').map(({ operations, resources }) => ({
      operations,
      resources: resources.filter(({ resourceName }) => resourceName === topicName(scene.prefix, 'events')),
    }));
    await acls.revoke('relay', events);
    await sendAs('agents', 'contracts', trade({ negotiationId: 'held-back' }).envelope);
    await scene.untilSaid(/"alarm":"output_topic_held"/, 'relay');
    await acls.grant('relay', events);
    await scene.settled();
  });
});

describe('ways to Kafka that are shut', () => {
  test.each([
    { what: 'a wrong password', env: { V402_KAFKA_PASSWORD: 'mistaken' }, code: 'authentication_failed' },
    { what: 'a certificate that nobody trusts', env: { NODE_EXTRA_CA_CERTS: '' }, code: 'tls_failed' },
  ])('error: $what', async ({ env, code }) => {
    const wrong = { ...scene.environment(), ...asUser('checker'), ...env };
    const { status, stderr } = await v402(['topics', 'check'], { env: wrong });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(`^${code}: `) as string });
    expect(stderr).not.toContain('mistaken');
  });
});
