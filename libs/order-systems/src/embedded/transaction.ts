import pg from 'pg';

/**
 * How far a call had come when it failed. Until COMMIT is sent PostgreSQL cannot keep anything of a transaction,
 * whatever becomes of the connection; from then on only its answer tells.
 */
type Progress = 'connecting' | 'writing' | 'committing';

/** A transaction that did not come to its confirmed end. */
export class TransactionFailure extends Error {
  constructor(
    readonly progress: Progress,
    /** The caller's deadline had passed. */
    readonly aborted: boolean,
    cause: unknown,
  ) {
    super(`The order book's transaction failed while ${progress}.`, { cause });
    this.name = 'TransactionFailure';
  }
}

/** Called on both sides of COMMIT, so that a test can delay a call there or make it fail. */
export interface TransactionHooks {
  readonly beforeCommit?: () => Promise<void>;
  /** The order book has committed, its answer has not been taken notice of: throwing here loses it. */
  readonly afterCommit?: () => Promise<void>;
}

/**
 * Settles as the promise does, or rejects with the signal's reason as soon as it is aborted, without waiting for anything:
 * the caller's deadline has passed.
 */
const untilAborted = async <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> => {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};

/** A client of the pool. One that comes too late for an aborted call goes back to the pool. */
const checkOut = async (pool: pg.Pool, signal: AbortSignal): Promise<pg.PoolClient> => {
  signal.throwIfAborted();
  const checkingOut = pool.connect();
  try {
    return await untilAborted(signal, checkingOut);
  } catch (error) {
    checkingOut.then(
      (client) => {
        client.release();
      },
      () => undefined,
    );
    throw error;
  }
};

export type Query = <Row extends pg.QueryResultRow>(query: pg.QueryConfig) => Promise<pg.QueryResult<Row>>;

/**
 * Runs the work in one transaction and commits it. A call that fails or is aborted gives up its connection, since
 * nobody knows what still goes on there.
 * @throws TransactionFailure
 */
export const inTransaction = async <T>(
  pool: pg.Pool,
  signal: AbortSignal,
  hooks: TransactionHooks,
  work: (query: Query) => Promise<T>,
): Promise<T> => {
  let progress: Progress = 'connecting';
  try {
    return await withClient(pool, signal, async (client, stop) => {
      progress = 'writing';
      await untilAborted(stop, client.query('BEGIN'));
      const result = await work((query) => untilAborted(stop, client.query(query)));
      await untilAborted(stop, hooks.beforeCommit?.() ?? Promise.resolve());
      stop.throwIfAborted();
      progress = 'committing';
      const { command } = await untilAborted(stop, client.query('COMMIT'));
      if (command !== 'COMMIT') throw new Error(`COMMIT was answered with ${command}`);
      await untilAborted(stop, hooks.afterCommit?.() ?? Promise.resolve());
      return result;
    });
  } catch (cause) {
    throw new TransactionFailure(progress, signal.aborted, cause);
  }
};

/** One statement that only reads. */
export const readOnce = async <Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  signal: AbortSignal,
  query: pg.QueryConfig,
): Promise<Row[]> =>
  await withClient(pool, signal, async (client, stop) => (await untilAborted(stop, client.query<Row>(query))).rows);

/**
 * Lends a client of the pool, and closes its connection if the work fails. `stop` is aborted with the caller's signal,
 * and when the connection breaks, even between two statements.
 */
const withClient = async <T>(
  pool: pg.Pool,
  signal: AbortSignal,
  work: (client: pg.PoolClient, stop: AbortSignal) => Promise<T>,
): Promise<T> => {
  const client = await checkOut(pool, signal);
  const broken = new AbortController();
  const onError = (error: Error): void => {
    broken.abort(error);
  };
  client.on('error', onError);
  try {
    const result = await work(client, AbortSignal.any([signal, broken.signal]));
    client.off('error', onError);
    client.release();
    return result;
  } catch (error) {
    // The listener stays: closing may still raise an error, which must not end the process.
    client.release(true);
    throw error;
  }
};
