import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { migrate, provisionDatabase, readMigrations } from '@v402/persistence';
import pg from 'pg';
import { createTestDatabase, type TestDatabase, testPostgresUrl, withAdmin } from '../support/database.js';

const root = join(import.meta.dirname, '..', '..');
const runMigrationTool = (...args: string[]): string =>
  execFileSync(process.execPath, [join(root, 'prisma', 'new-migration.mjs'), ...args], { encoding: 'utf8' });

const inDatabase = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** What Prisma describes of a database, one line each. */
const CATALOGUE = `
  SELECT format('column %s.%s.%s %s default %s null %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                coalesce(pg_get_expr(d.adbin, d.adrelid), '-'), NOT a.attnotnull) AS line
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE n.nspname IN ('v402', 'orderbook') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname IN ('v402', 'orderbook')
  UNION ALL
  SELECT format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
  WHERE connamespace::regnamespace::text IN ('v402', 'orderbook') AND contype IN ('p', 'u', 'f')
  ORDER BY 1`;

const catalogueOf = async (url: string): Promise<string[]> =>
  await inDatabase(url, async (client) => {
    await client.query('SET search_path TO pg_catalog');
    return (await client.query<{ line: string }>(CATALOGUE)).rows.map(({ line }) => line);
  });

const appliedIn = async (url: string): Promise<unknown[]> =>
  await inDatabase(url, async (client) => {
    const sql = 'SELECT migration_name, finished_at, rolled_back_at FROM _prisma_migrations ORDER BY started_at';
    return (await client.query<Record<string, unknown>>(sql)).rows;
  });

/** The SQLSTATE of what the query fails with, `undefined` when it does not. */
const sqlStateOf = async (client: pg.Client, sql: string): Promise<string | undefined> => {
  try {
    await client.query(sql);
    return undefined;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error.code;
    throw error;
  }
};

const INSUFFICIENT_PRIVILEGE = '42501';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});

describe('migrations', () => {
  test('behavior: the newest migration holds what stands in prisma/schema and prisma/sql', () => {
    expect(() => runMigrationTool('--check')).not.toThrow();
  });

  test('behavior: a migrated database has all that the schema describes, and nothing that no one wrote', async () => {
    const described = `${database.name}_described`;
    await withAdmin((admin) => admin.query(`CREATE DATABASE ${described}`));
    try {
      const url = new URL(database.adminUrl);
      url.pathname = `/${described}`;
      await inDatabase(url.href, (client) => client.query(runMigrationTool('--print')));
      const [expected, actual] = [await catalogueOf(url.href), await catalogueOf(database.adminUrl)];

      expect(expected.length).toBeGreaterThan(30);
      expect(expected.filter((line) => !actual.includes(line))).toEqual([]);
      const handWritten = readMigrations()
        .map(({ sql }) => sql)
        .join('\n');
      const additional = actual.filter((line) => !expected.includes(line));
      const nameOf = (line: string): string =>
        /^(?:index CREATE (?:UNIQUE )?INDEX|constraint) (\S+)/.exec(line)?.[1] ?? line;
      expect(additional.filter((line) => !handWritten.includes(nameOf(line)))).toEqual([]);
    } finally {
      await withAdmin((admin) => admin.query(`DROP DATABASE ${described} WITH (FORCE)`));
    }
  });

  test('behavior: applying them again changes nothing', async () => {
    const [catalogue, applied] = [await catalogueOf(database.adminUrl), await appliedIn(database.ownerUrl)];
    expect(await migrate(database)).toEqual([]);
    expect(await catalogueOf(database.adminUrl)).toEqual(catalogue);
    expect(await appliedIn(database.ownerUrl)).toEqual(applied);
    expect(applied).toHaveLength(readMigrations().length);
  });

  const together = {
    name: '29990101000000_together',
    sql: 'CREATE TABLE v402.together (i int); SELECT pg_sleep(0.2);',
  };

  test('behavior: processes that migrate together apply each migration once', async () => {
    const migrations = [...readMigrations(), together];
    const options = { ...database, migrations };
    const applied = await Promise.all([migrate(options), migrate(options), migrate(options)]);
    expect(applied.flat()).toEqual([together.name]);
  });

  test('error: a migration that fails leaves nothing behind and is tried again', async () => {
    const name = '29990102000000_broken';
    const broken = { name, sql: "CREATE TABLE v402.half (text text DEFAULT ';'); SELECT * FROM v402.nowhere;" };
    const known = [...readMigrations(), together];
    await expect(migrate({ ...database, migrations: [...known, broken] })).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('v402.nowhere') as string,
    });
    const half = await inDatabase(database.ownerUrl, (client) =>
      client.query("SELECT to_regclass('v402.half') AS half"),
    );
    expect(half.rows).toEqual([{ half: null }]);

    const mended = { name, sql: 'CREATE TABLE v402.half (text text);' };
    expect(await migrate({ ...database, migrations: [...known, mended] })).toEqual([name]);
    expect(await migrate({ ...database, migrations: [...known, mended] })).toEqual([]);
  });

  test('error: a migration that was edited after it was applied', async () => {
    const edited = readMigrations().map(({ name, sql }) => ({ name, sql: `${sql}\n-- one more line` }));
    await expect(migrate({ ...database, migrations: edited })).rejects.toMatchObject({ code: 'migration_edited' });
  });

  test('error: a database that cannot be reached', async () => {
    await expect(migrate({ ownerUrl: 'postgresql://owner@127.0.0.1:1/none' })).rejects.toMatchObject({
      kind: 'retryable',
      code: 'database_unreachable',
    });
  });

  test('error: a refused password is not called unreachable', async () => {
    const url = new URL(database.ownerUrl);
    url.password = 'another';
    await expect(migrate({ ownerUrl: url.href })).rejects.toMatchObject({ code: 'database_authentication_failed' });
  });
});

describe('roles', () => {
  const APPEND_ONLY = ['decision', 'event', 'raw_message'];

  test('behavior: the services add to what is append-only and change or delete none of it', async () => {
    await inDatabase(database.appUrl, async (client) => {
      for (const table of APPEND_ONLY) {
        expect(await sqlStateOf(client, `SELECT FROM v402.${table}`)).toBeUndefined();
        expect(await sqlStateOf(client, `DELETE FROM v402.${table}`)).toBe(INSUFFICIENT_PRIVILEGE);
        expect(await sqlStateOf(client, `TRUNCATE v402.${table}`)).toBe(INSUFFICIENT_PRIVILEGE);
      }
      const updatable = await client.query(
        `SELECT table_name, column_name FROM information_schema.column_privileges
         WHERE table_schema = 'v402' AND table_name = ANY($1) AND privilege_type = 'UPDATE'`,
        [APPEND_ONLY],
      );
      expect(updatable.rows).toEqual([]);
    });
  });

  test('behavior: the services see nothing of the order book, the order book nothing of them', async () => {
    await inDatabase(database.appUrl, async (client) => {
      expect(await sqlStateOf(client, 'SELECT FROM orderbook.order_head')).toBe(INSUFFICIENT_PRIVILEGE);
    });
    await inDatabase(database.orderbookUrl, async (client) => {
      expect(await sqlStateOf(client, 'SELECT FROM v402.settlement')).toBe(INSUFFICIENT_PRIVILEGE);
      expect(await sqlStateOf(client, 'SELECT FROM orderbook.order_head')).toBeUndefined();
      expect(await sqlStateOf(client, 'DELETE FROM orderbook.order_head')).toBe(INSUFFICIENT_PRIVILEGE);
      expect(await sqlStateOf(client, 'UPDATE orderbook.order_head SET total = 0')).toBe(INSUFFICIENT_PRIVILEGE);
    });
  });

  test.each(['appUrl', 'orderbookUrl'] as const)('behavior: %s makes no table and no schema', async (url) => {
    await inDatabase(database[url], async (client) => {
      for (const schema of ['v402', 'orderbook', 'public']) {
        expect(await sqlStateOf(client, `CREATE TABLE ${schema}.mine (i int)`)).toBe(INSUFFICIENT_PRIVILEGE);
      }
      expect(await sqlStateOf(client, 'CREATE SCHEMA mine')).toBe(INSUFFICIENT_PRIVILEGE);
      expect(await sqlStateOf(client, 'CREATE TEMPORARY TABLE mine (i int)')).toBe(INSUFFICIENT_PRIVILEGE);
    });
  });

  test('behavior: an administrator who is no superuser provisions, again and beside others', async () => {
    const name = `${database.name}_admin`;
    await withAdmin(async (admin) => {
      await admin.query(`CREATE ROLE ${name} LOGIN CREATEDB CREATEROLE PASSWORD 'admin-test'`);
      // From PostgreSQL 16 on a role is managed by whoever made it; elsewhere that is this administrator.
      const roles =
        'v402_owner, v402_app, v402_app_login, v402_operator, v402_operator_login, v402_orderbook, v402_orderbook_login';
      await admin.query(`GRANT ${roles} TO ${name} WITH ADMIN OPTION`);
    });
    const adminUrl = new URL(testPostgresUrl());
    adminUrl.username = name;
    adminUrl.password = 'admin-test';
    const passwords = { owner: 'owner-test', app: 'app-test', operator: 'operator-test', orderbook: 'orderbook-test' };
    const provision = (database: string): ReturnType<typeof provisionDatabase> =>
      provisionDatabase({ adminUrl: adminUrl.href, database, passwords });
    try {
      const [first, second] = await Promise.all([provision(`${name}_1`), provision(`${name}_2`)]);
      expect(await provision(`${name}_1`)).toEqual(first);
      for (const { orderbookUrl } of [first, second]) {
        const orders = await inDatabase(orderbookUrl, (client) => client.query('SELECT FROM orderbook.order_head'));
        expect(orders.rowCount).toBe(0);
      }
    } finally {
      await withAdmin(async (admin) => {
        await admin.query(`DROP DATABASE IF EXISTS ${name}_1 WITH (FORCE)`);
        await admin.query(`DROP DATABASE IF EXISTS ${name}_2 WITH (FORCE)`);
        await admin.query(`DROP OWNED BY ${name}`);
        await admin.query(`DROP ROLE ${name}`);
      });
    }
  });
});
