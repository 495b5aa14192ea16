import { randomUUID } from 'node:crypto';
import { PgUnitOfWork } from '@v402/persistence';
import { v402 } from '../support/cli.js';
import { createTestDatabase, testPostgresUrl, withAdmin, type TestDatabase } from '../support/database.js';
import { anOrder, insertSettlement, sha256 } from '../support/records.js';

/** Real: the built command line, PostgreSQL, Kafka. */
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName: 'cli test' });
  await unitOfWork.run(async (tx) => {
    await tx.orders.insert([anOrder(await insertSettlement(tx, 'shown'))]);
  });
  await unitOfWork.close();
});

afterAll(async () => {
  await database.drop();
});

describe('v402 show and v402 overview', () => {
  const env = (): NodeJS.ProcessEnv => ({ V402_DATABASE_URL: database.appUrl });
  const id = sha256('contract shown');
  const shortRef = sha256('shown').slice(0, 26);

  test.each([id, shortRef])('shows a settlement by %s', async (name) => {
    const { status, stdout, stderr } = await v402(['show', name], { env: env() });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(id);
    expect(stdout).toMatch(/Orders\n[\s\S]*seller[\s\S]*waiting/);
  });

  test('as JSON', async () => {
    const { stdout } = await v402(['show', id, '--json'], { env: env() });
    expect(JSON.parse(stdout)).toMatchObject({ contractId: id, state: 'accepted', orders: [{ side: 'seller' }] });
  });

  test('one that nobody accepted: status 1', async () => {
    expect(await v402(['show', 'f'.repeat(64)], { env: env() })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'No such contract was accepted.\n',
    });
  });

  test('the overview counts it', async () => {
    const { status, stdout } = await v402(['overview', '--json'], { env: env() });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ settlementsByState: { accepted: 1 }, ordersByState: { waiting: 1 } });
    expect((await v402(['overview'], { env: env() })).stdout).toMatch(/Settlements\n/);
  });

  test('no address, and a database that is away: status 2 with a code, without the password', async () => {
    const none = await v402(['show', id]);
    expect(none).toMatchObject({ status: 2, stdout: '' });
    expect(none.stderr).toContain('V402_DATABASE_URL: is required');
    const away = await v402(['overview'], { env: { V402_DATABASE_URL: 'postgresql://u:hidden@127.0.0.1:1/v402' } });
    expect(away).toMatchObject({ status: 2, stdout: '' });
    expect(away.stderr).toMatch(/^database_unavailable: /);
    expect(away.stderr).not.toContain('hidden');
  });
});

describe('v402 migrate', () => {
  const name = `v402_cli_${randomUUID().replaceAll('-', '')}`;

  beforeAll(async () => {
    await withAdmin((admin) => admin.query(`CREATE DATABASE ${name}`));
  });

  afterAll(async () => {
    await withAdmin((admin) => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
  });

  test('applies what is missing, and then nothing', async () => {
    const url = new URL(testPostgresUrl());
    url.pathname = `/${name}`;
    const env = { V402_OWNER_DATABASE_URL: url.href };
    const first = await v402(['migrate'], { env });
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toMatch(/^(applied \d{14}_\w+\n)+$/);
    expect(await v402(['migrate'], { env })).toEqual({
      status: 0,
      stdout: 'The database is up to date.\n',
      stderr: '',
    });
  });

  test('a role that may not: status 2 with a code, no stack', async () => {
    const { status, stderr } = await v402(['migrate'], {
      env: { V402_OWNER_DATABASE_URL: 'postgresql://u:hidden@127.0.0.1:1/v402' },
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^database_unreachable: .*\n$/);
  });
});

describe('v402 topics', () => {
  const env = {
    V402_KAFKA_BROKERS: process.env['V402_TEST_KAFKA_BROKERS'],
    V402_TOPIC_PREFIX: `cli-${randomUUID().slice(0, 8)}.`,
  };

  test('missing ones are a problem, created ones are in order', async () => {
    const missing = await v402(['topics', 'check'], { env });
    expect(missing).toMatchObject({ status: 1, stderr: '' });
    expect(missing.stdout.match(/is missing/g)).toHaveLength(5);

    const created = await v402(['topics', 'create', '--partitions', '3', '--replication-factor', '1'], { env });
    expect(created).toMatchObject({ status: 0, stderr: '' });
    expect(created.stdout.match(/^created /gm)).toHaveLength(5);
    expect(created.stdout).toMatch(/contracts\.v1\W+3\W+1\W+LogAppendTime\W+12582912/);

    const again = await v402(['topics', 'create'], { env });
    expect(again.status).toBe(0);
    expect(again.stdout).not.toContain('created ');
  });

  test('the same for programs, with the same exit status', async () => {
    const prefix = `cli-${randomUUID().slice(0, 8)}.`;
    const ofOwn = { env: { ...env, V402_TOPIC_PREFIX: prefix } };
    const contracts = `${prefix}v402.settlement.contracts.v1`;
    const missing = await v402(['topics', 'check', '--json'], ofOwn);
    expect(missing).toMatchObject({ status: 1, stderr: '' });
    expect(JSON.parse(missing.stdout)).toMatchObject({
      created: [],
      topics: expect.arrayContaining([{ topic: contracts, exists: false, problems: ['is missing'] }]) as unknown,
    });
    const created = await v402(['topics', 'create', '--json', '--replication-factor', '1'], ofOwn);
    expect(created).toMatchObject({ status: 0, stderr: '' });
    const { topics, ...rest } = JSON.parse(created.stdout) as { created: string[]; topics: { problems: string[] }[] };
    expect(rest.created).toContain(contracts);
    expect(topics.map(({ problems }) => problems)).toEqual(rest.created.map(() => []));
  });

  test('what Kafka refuses, and a Kafka that is away: status 2 with a code', async () => {
    const refused = await v402(['topics', 'create', '--replication-factor', '9'], {
      env: { ...env, V402_TOPIC_PREFIX: `${env.V402_TOPIC_PREFIX}refused.` },
    });
    expect(refused).toMatchObject({
      status: 2,
      stderr: 'kafka_refused: Kafka refused it: INVALID_REPLICATION_FACTOR.\n',
    });
    const away = await v402(['topics', 'check'], { env: { V402_KAFKA_BROKERS: '127.0.0.1:1' } });
    expect(away).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'broker_unavailable: Kafka at 127.0.0.1:1 cannot be used.\n',
    });
  });
});

describe('v402 run', () => {
  test('says everything that is wrong with the configuration: status 78', async () => {
    const { status, stderr } = await v402(['run', 'relay']);
    expect(status).toBe(78);
    expect(stderr).toContain('config_invalid');
    expect(stderr).toContain('V402_DATABASE_URL: is required');
    expect(stderr).not.toContain('V402_TRUST_REGISTRY');
  });

  test('a role that is none is wrong usage', async () => {
    expect(await v402(['run', 'everything'])).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('v402 evidence', () => {
  const env = (): NodeJS.ProcessEnv => ({ V402_DATABASE_URL: database.appUrl });

  test('what nobody ever decided: status 1', async () => {
    expect(await v402(['evidence', 'f'.repeat(64)], { env: env() })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'Nothing of that name was ever decided.\n',
    });
  });

  test('a database that is away: status 2 with a code', async () => {
    const away = await v402(['evidence', 'f'.repeat(64)], {
      env: { V402_DATABASE_URL: 'postgresql://u:hidden@127.0.0.1:1/v402' },
    });
    expect(away).toMatchObject({ status: 2, stdout: '' });
    expect(away.stderr).toMatch(/^database_unavailable: /);
  });
});
