import { ScratchDatabase } from '@v402/persistence';
import pg from 'pg';
import { testPostgresUrl, withAdmin } from '../support/database.js';

/** Real: PostgreSQL. */
let database: ScratchDatabase;
let app: pg.Client;

beforeAll(async () => {
  database = await ScratchDatabase.create(testPostgresUrl());
  app = new pg.Client({ connectionString: database.appUrl });
  app.on('error', () => undefined);
  await app.connect();
});

afterAll(async () => {
  await app.end();
  await database.drop();
});

const isThere = async (name: string): Promise<boolean> =>
  withAdmin(async (admin) => (await admin.query('SELECT FROM pg_database WHERE datname = $1', [name])).rowCount === 1);

const insertRejection = async (digest: string): Promise<void> => {
  await app.query(
    "INSERT INTO v402.raw_message (digest, size, bytes, truncated) VALUES (decode($1, 'hex'), 0, '', false)",
    [digest],
  );
  await app.query("INSERT INTO v402.rejection (raw_digest, code) VALUES (decode($1, 'hex'), 'expired')", [digest]);
};

test('its user has the rights of the services, and no more', async () => {
  expect((await app.query('SELECT current_user AS name')).rows).toEqual([{ name: 'v402_app' }]);
  await expect(app.query('DELETE FROM v402.event')).rejects.toThrow('permission denied');
});

test('clearing leaves nothing but what the migrations brought', async () => {
  await insertRejection('11'.repeat(32));
  await app.query("INSERT INTO v402.input_offset (topic, partition, next_offset) VALUES ('contracts', 0, 1)");
  expect((await database.outcomes()).size).toBe(1);
  await database.clear();
  expect((await database.outcomes()).size).toBe(0);
  expect((await app.query('SELECT FROM v402.input_offset')).rowCount).toBe(0);
  expect((await app.query('SELECT FROM v402.relay_shard')).rowCount).toBe(16);
});

test('an outcome keeps its key while it repeats', async () => {
  await database.clear();
  await insertRejection('22'.repeat(32));
  const [[key]] = [...(await database.outcomes())] as [[string, unknown]];
  await app.query('UPDATE v402.rejection SET occurrences = 3');
  expect((await database.outcomes()).get(key)).toEqual({
    outcome: 'rejected',
    code: 'expired',
    contractId: undefined,
    shortRef: undefined,
    times: 3,
  });
});

test('dropping it cuts off who is connected', async () => {
  const other = await ScratchDatabase.create(testPostgresUrl());
  expect(await isThere(other.name)).toBe(true);
  const client = new pg.Client({ connectionString: other.appUrl });
  client.on('error', () => undefined);
  await client.connect();
  await other.drop();
  expect(await isThere(other.name)).toBe(false);
});

test('a superuser is not needed: who may make databases and grant the role can have one', async () => {
  const role = `scratch_maker_${process.pid}`;
  const url = new URL(testPostgresUrl());
  url.username = role;
  url.password = 'maker';
  await withAdmin(async (admin) => {
    await admin.query(`CREATE ROLE ${role} LOGIN CREATEDB CREATEROLE PASSWORD 'maker'`);
    const { rows } = await admin.query<{ number: string }>("SELECT current_setting('server_version_num') AS number");
    // From version 16 on, who makes a role may grant it, and cannot take it before.
    const how = Number(rows[0]!.number) < 160_000 ? 'WITH ADMIN OPTION' : 'WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';
    await admin.query(`GRANT v402_app, v402_orderbook TO ${role} ${how}`);
  });
  const own = await ScratchDatabase.create(url.href);
  expect((await own.outcomes()).size).toBe(0);
  const client = new pg.Client({ connectionString: own.appUrl });
  client.on('error', () => undefined);
  await client.connect();
  expect((await client.query('SELECT current_user AS name')).rows).toEqual([{ name: 'v402_app' }]);
  await client.end();
  await own.drop();
  // The role's own grant of v402_app to itself goes first.
  await withAdmin((admin) => admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
});

test('a server that is away is said to be', async () => {
  await expect(ScratchDatabase.create('postgresql://v402@127.0.0.1:1/postgres')).rejects.toMatchObject({
    code: 'database_unreachable',
  });
});
