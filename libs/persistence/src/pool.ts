import pg from 'pg';

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database` of the role `v402_app`. */
  readonly url: string;
  /** What `pg_stat_activity` shows. */
  readonly applicationName: string;
  /** 10 unless told. */
  readonly maxConnections?: number;
  /** How long to wait for a connection, be it a free one of the pool or a new one; 10 s unless told. */
  readonly connectTimeoutMs?: number;
  /** 30 s unless told. */
  readonly statementTimeoutMs?: number;
  /**
   * How long a statement may wait for one lock. 20 s unless told: longer than any transaction of ours takes, also where
   * many wait for each other on a machine that is too busy, so whoever keeps it is stuck; and shorter than the time of a
   * statement, so that what is locked is told from what is slow.
   */
  readonly lockTimeoutMs?: number;
  /** How long a transaction may do nothing: it holds locks that others wait for. 30 s unless told. */
  readonly idleInTransactionTimeoutMs?: number;
}

/** The server cancels a statement first; only where it no longer answers does our own limit end the wait. */
const ANSWER_MARGIN_MS = 5_000;

export function createPool(options: DatabaseOptions): pg.Pool {
  const { statementTimeoutMs = 30_000 } = options;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    statement_timeout: statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs ?? 20_000,
    query_timeout: statementTimeoutMs + ANSWER_MARGIN_MS,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 30_000,
    // Prisma's adapter takes the text of a time for UTC, whatever its offset. What is committed is relied on at once, outside
    // the database: a server that is told to promise less is told otherwise.
    options: '-c timezone=UTC -c datestyle=ISO -c synchronous_commit=on',
    keepAlive: true,
  });
  // An idle connection that the server closes is dropped by the pool, and the next transaction opens another one.
  // Without a listener Node.js would end the process.
  pool.on('error', ignore);
  // The same goes for one that is lent, from its first moment on: a server that ends it together with its greeting says so
  // before whoever borrows it could listen. A statement on it fails.
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

const ignore = (): void => undefined;
