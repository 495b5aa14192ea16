import { createHash, randomUUID } from 'node:crypto';
import { type DatabaseUrls, provisionDatabase, readMigrations } from '@v402/persistence';
import pg from 'pg';
import { until } from './until.js';

/** A database of one test file's own, migrated and empty. */
export interface TestDatabase extends DatabaseUrls {
  /** Superuser, in this database: for arranging what no role of ours may do. */
  readonly adminUrl: string;
  /** Another operator's login: whoever approves is a second person. */
  readonly secondOperatorUrl: string;
  readonly name: string;
  /** Cuts off whoever is still connected. */
  readonly drop: () => Promise<void>;
}

/** The same in every process of a test run, since roles are shared by the databases of a cluster. */
const passwords = {
  owner: 'owner-test',
  app: 'app-test',
  operator: 'operator-test',
  orderbook: 'orderbook-test',
};

/** Superuser's URL of the PostgreSQL that the test run started or was given. */
export const testPostgresUrl = (): string => {
  const url = process.env['V402_TEST_POSTGRES_URL'];
  if (url === undefined) throw new Error('V402_TEST_POSTGRES_URL is not set: the global setup of the tests sets it.');
  return url;
};

export const withAdmin = async <T>(work: (admin: pg.Client) => Promise<T>): Promise<T> => {
  const admin = new pg.Client({ connectionString: testPostgresUrl() });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
};

const urlOf = (database: string, login?: { readonly name: string; readonly password: string }): string => {
  const url = new URL(testPostgresUrl());
  url.pathname = `/${database}`;
  if (login !== undefined) [url.username, url.password] = [login.name, login.password];
  return url.href;
};

/** Not named as the roles that every installation has. */
const SECOND_OPERATOR = { name: 'second_operator_login', password: 'second-operator-test' } as const;

const makeSecondOperator = async (admin: pg.Client): Promise<void> => {
  const { name, password } = SECOND_OPERATOR;
  const known = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  if (known.rowCount !== 0) return;
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' IN ROLE v402_operator`);
};

const OBJECT_IN_USE = '55006';

const TEMPLATE_LOCK = 402_402_499;

/** Migrates once for all test files; under its final name the template is always whole. */
const migratedTemplate = async (): Promise<string> => {
  const digest = createHash('sha256').update(JSON.stringify(readMigrations())).digest('hex').slice(0, 12);
  const template = `v402_template_${digest}`;
  await withAdmin(async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const known = await admin.query('SELECT FROM pg_database WHERE datname = $1', [template]);
    if (known.rowCount === 0) {
      const unfinished = `${template}_unfinished`;
      await admin.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
      await provisionDatabase({ adminUrl: testPostgresUrl(), database: unfinished, passwords });
      await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`);
    }
    await makeSecondOperator(admin);
  });
  return template;
};

/**
 * The order book's own limits are a second. A machine that stops for longer in a transaction of it must not end a call of
 * which a test expects that it succeeds.
 */
const patient = (orderbookUrl: string): string => {
  const url = new URL(orderbookUrl);
  for (const limit of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
    url.searchParams.set(limit, '60000');
  }
  return url.href;
};

/** @returns whether it is gone: on a busy machine who is cut off may take longer to go than PostgreSQL waits for it */
const dropped = async (admin: pg.Client, name: string): Promise<boolean> => {
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === OBJECT_IN_USE) return false;
    throw error;
  }
};

export const createTestDatabase = async (): Promise<TestDatabase> => {
  const template = await migratedTemplate();
  const name = `v402_test_${randomUUID().replaceAll('-', '')}`;
  const urls = await provisionDatabase({ adminUrl: testPostgresUrl(), database: name, passwords, template });
  const drop = (): Promise<void> => withAdmin((admin) => until(() => dropped(admin, name)));
  return {
    ...urls,
    orderbookUrl: patient(urls.orderbookUrl),
    adminUrl: urlOf(name),
    secondOperatorUrl: urlOf(name, SECOND_OPERATOR),
    name,
    drop,
  };
};
