import { randomBytes } from 'node:crypto';
import { RetryableError } from '@v402/domain';
import pg from 'pg';
import { migrate } from './migrate/migrate.js';

/** Passwords of the login roles. They belong to the cluster: setting one here changes it for its other databases too. */
export interface DatabasePasswords {
  readonly owner: string;
  readonly app: string;
  readonly operator: string;
  readonly orderbook: string;
}

export interface ProvisionOptions {
  /** A role that may create databases and roles, connected to any database but the one to be made. */
  readonly adminUrl: string;
  /** Made if it does not exist. */
  readonly database: string;
  readonly passwords: DatabasePasswords;
  /** A database to copy instead of starting empty; nobody may be connected to it. */
  readonly template?: string;
}

/** Connection URLs, one for each role. They contain passwords. */
export interface DatabaseUrls {
  /** Owns the database and migrates it; no service needs it. */
  readonly ownerUrl: string;
  /** The services: member of `v402_app`. */
  readonly appUrl: string;
  /** People who resolve what got stuck: member of `v402_operator`; no service needs it. */
  readonly operatorUrl: string;
  /** The embedded order book: member of `v402_orderbook`, which sees nothing of schema v402. */
  readonly orderbookUrl: string;
}

/** Login roles, and the group role of the migrations that each is a member of. */
const OWNER = { name: 'v402_owner', group: undefined } as const;
const APP = { name: 'v402_app_login', group: 'v402_app' } as const;
const OPERATOR = { name: 'v402_operator_login', group: 'v402_operator' } as const;
const ORDERBOOK = { name: 'v402_orderbook_login', group: 'v402_orderbook' } as const;

const MEMBERS = [APP, OPERATOR, ORDERBOOK] as const;

/** Roles are shared by the databases of a cluster, so making them is serialized. The number is ours and never changes. */
const PROVISION_LOCK = '402402401';

export const generatePasswords = (): DatabasePasswords => {
  const password = (): string => randomBytes(24).toString('base64url');
  return { owner: password(), app: password(), operator: password(), orderbook: password() };
};

/**
 * Makes the roles and the database where they are missing, sets the roles' passwords, and migrates. Doing it again
 * changes nothing else.
 * @throws RetryableError `database_unreachable`; TerminalError of `migrate`
 */
export const provisionDatabase = async (options: ProvisionOptions): Promise<DatabaseUrls> => {
  const { adminUrl, database, passwords } = options;
  const admin = new pg.Client({ connectionString: adminUrl, application_name: 'v402 provision' });
  try {
    await admin.connect();
  } catch (cause) {
    throw new RetryableError('database_unreachable', 'The database server could not be reached.', {}, { cause });
  }
  try {
    await admin.query('SELECT pg_advisory_lock($1)', [PROVISION_LOCK]);
    await provisionRoles(admin, passwords);
    await admin.query('SELECT pg_advisory_unlock($1)', [PROVISION_LOCK]);
    await createDatabase(admin, options);
  } finally {
    await admin.end();
  }
  const urls = {
    ownerUrl: urlFor(adminUrl, database, OWNER.name, passwords.owner),
    appUrl: urlFor(adminUrl, database, APP.name, passwords.app),
    operatorUrl: urlFor(adminUrl, database, OPERATOR.name, passwords.operator),
    orderbookUrl: urlFor(adminUrl, database, ORDERBOOK.name, passwords.orderbook),
  };
  await migrate(urls);
  return urls;
};

const provisionRoles = async (admin: pg.Client, passwords: DatabasePasswords): Promise<void> => {
  for (const { group } of MEMBERS) {
    if (!(await exists(admin, 'SELECT FROM pg_roles WHERE rolname = $1', group))) {
      await admin.query(`CREATE ROLE ${group} NOLOGIN`);
    }
  }
  await provisionLogin(admin, OWNER.name, passwords.owner);
  await provisionLogin(admin, APP.name, passwords.app);
  await provisionLogin(admin, OPERATOR.name, passwords.operator);
  await provisionLogin(admin, ORDERBOOK.name, passwords.orderbook);
  for (const { name, group } of MEMBERS) await admin.query(`GRANT ${group} TO ${name}`);
  // Only a superuser may give a database to a role that it is not a member of.
  if (!(await exists(admin, 'SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper'))) {
    await admin.query(`GRANT ${OWNER.name} TO CURRENT_USER`);
  }
};

const provisionLogin = async (admin: pg.Client, name: string, password: string): Promise<void> => {
  const known = await exists(admin, 'SELECT FROM pg_roles WHERE rolname = $1', name);
  await admin.query(`${known ? 'ALTER' : 'CREATE'} ROLE ${name} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
};

const createDatabase = async (admin: pg.Client, { database, template }: ProvisionOptions): Promise<void> => {
  const name = pg.escapeIdentifier(database);
  if (!(await exists(admin, 'SELECT FROM pg_database WHERE datname = $1', database))) {
    const source = template === undefined ? '' : ` TEMPLATE ${pg.escapeIdentifier(template)}`;
    await admin.query(`CREATE DATABASE ${name} OWNER ${OWNER.name}${source}`);
  }
  await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  await admin.query(`GRANT CONNECT ON DATABASE ${name} TO ${MEMBERS.map(({ group }) => group).join(', ')}`);
};

const exists = async (admin: pg.Client, sql: string, ...values: string[]): Promise<boolean> =>
  (await admin.query(sql, values)).rowCount !== 0;

const urlFor = (adminUrl: string, database: string, user: string, password: string): string => {
  const url = new URL(adminUrl);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
};
