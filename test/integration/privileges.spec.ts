import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

/**
 * Every grant that a role of ours holds, as it is meant to be. A change of it is a change of who may do what: review it so.
 * `npm run docs:privileges` writes it.
 */
const EXPECTED = join(import.meta.dirname, 'privileges.txt');
const isRecording = process.env['V402_TEST_RECORD_PRIVILEGES'] === '1';

/** What the catalogue says of tables, columns, sequences, functions and schemas; owners and the superuser need no grant. */
const GRANTS = `
  WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('v402', 'orderbook', 'public')),
  acl AS (
    SELECT 'schema ' || nspname AS object, NULL::text AS attname, (aclexplode(nspacl)).*
    FROM pg_namespace WHERE oid IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('%s %s.%s', CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname, relname), NULL, (aclexplode(relacl)).*
    FROM pg_class JOIN ours ON ours.oid = relnamespace
    UNION ALL
    SELECT format('table %s.%s', nspname, relname), attname, (aclexplode(attacl)).*
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN ours ON ours.oid = relnamespace
    UNION ALL
    SELECT format('function %s.%s', nspname, proname), NULL, (aclexplode(coalesce(proacl, acldefault('f', proowner)))).*
    FROM pg_proc JOIN ours ON ours.oid = pronamespace
  )
  SELECT format('%s | %s | %s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, object,
    string_agg(privilege, ', ' ORDER BY privilege)) AS line
  FROM (
    SELECT grantee, object, privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END ||
      coalesce(' (' || string_agg(attname, ', ' ORDER BY attname) || ')', '') AS privilege
    FROM acl WHERE grantee <> grantor GROUP BY grantee, object, privilege_type, is_grantable
  ) AS granted
  GROUP BY grantee, object ORDER BY 1`;

const INSUFFICIENT_PRIVILEGE = '42501';
const KEPT_FOR_EVER = ['raw_message', 'decision', 'event', 'audit_entry'];

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

async function refusalsOf(url: string, statements: readonly string[]): Promise<(string | undefined)[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const codes: (string | undefined)[] = [];
    for (const statement of statements) {
      codes.push(
        await client.query(statement).then(
          () => undefined,
          (error: unknown) => (error instanceof pg.DatabaseError ? error.code : String(error)),
        ),
      );
    }
    return codes;
  } finally {
    await client.end();
  }
}

test('the roles hold these grants and no others', async () => {
  const { rows } = await admin.query<{ line: string }>(GRANTS);
  const actual = `${rows.map(({ line }) => line).join('\n')}\n`;
  if (isRecording) writeFileSync(EXPECTED, actual);
  expect(actual).toBe(readFileSync(EXPECTED, 'utf8'));
});

test('no role of ours is more than a login or a group', async () => {
  const { rows } = await admin.query(
    `SELECT rolname FROM pg_roles WHERE rolname ~ '^v402_(app|operator|orderbook)'
     AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)`,
  );
  expect(rows).toEqual([]);
  // Another file's administrator of a moment may have granted the same again.
  const members = await admin.query<{ member: string; role: string }>(
    `SELECT DISTINCT member::regrole::text AS member, roleid::regrole::text AS role FROM pg_auth_members
     WHERE member::regrole::text ~ '^v402_(app|operator|orderbook)' ORDER BY 1, 2`,
  );
  expect(members.rows).toEqual([
    { member: 'v402_app_login', role: 'v402_app' },
    { member: 'v402_operator_login', role: 'v402_operator' },
    { member: 'v402_orderbook_login', role: 'v402_orderbook' },
  ]);
});

describe.each(['appUrl', 'operatorUrl', 'orderbookUrl'] as const)('%s', (url) => {
  const refused = async (...statements: string[]): Promise<void> => {
    expect(await refusalsOf(database[url], statements)).toEqual(statements.map(() => INSUFFICIENT_PRIVILEGE));
  };

  test('neither changes nor deletes nor empties what is kept for ever', async () => {
    for (const table of KEPT_FOR_EVER) {
      const { rows } = await admin.query<{ attname: string }>(
        `SELECT attname FROM pg_attribute WHERE attrelid = ('v402.' || $1)::regclass AND attnum > 0 AND NOT attisdropped`,
        [table],
      );
      await refused(
        `DELETE FROM v402.${table}`,
        `TRUNCATE v402.${table}`,
        ...rows.map(({ attname }) => `UPDATE v402.${table} SET ${attname} = ${attname}`),
      );
    }
  });

  test('makes nothing, and takes no guard away', async () => {
    await refused(
      'CREATE SCHEMA mine',
      'CREATE TABLE v402.mine (i int)',
      'CREATE TABLE orderbook.mine (i int)',
      'CREATE TABLE public.mine (i int)',
      'CREATE FUNCTION v402.mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
      'ALTER TABLE v402.settlement DROP CONSTRAINT settlement_total',
      'ALTER TABLE v402.event DISABLE TRIGGER ALL',
      'DROP INDEX v402.settlement_current',
      'DROP TABLE v402.settlement',
      'SET ROLE v402_owner',
      'CREATE ROLE mine',
    );
  });

  test('reads no password, no file of the server, and runs nothing there', async () => {
    await refused(
      'SELECT FROM pg_authid',
      'SELECT FROM pg_shadow',
      "SELECT pg_read_file('postgresql.conf')",
      "COPY (SELECT 1) TO '/tmp/mine'",
      "COPY (SELECT 1) TO PROGRAM 'true'",
    );
  });
});
