import { setTimeout as sleep } from 'node:timers/promises';
import { type Transaction, UnitOfWork } from '@v402/application';
import { TerminalError } from '@v402/domain';
import type { Pool, PoolClient } from 'pg';
import { classify, isConflict, isUnavailable } from './pg-errors.js';
import { createPool, type DatabaseOptions } from './pool.js';
import { Session } from './session.js';
import { PgTransaction } from './pg-transaction.js';

const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 10;

export class PgUnitOfWork extends UnitOfWork {
  readonly #pool: Pool;

  constructor(options: DatabaseOptions) {
    super();
    this.#pool = createPool(options);
  }

  /**
   * As `UnitOfWork.run` says, and: @throws RetryableError `transaction_conflict` when it lost every time,
   * `lock_timeout`, `statement_timeout`, `database_authentication_failed`, `database_tls_failed`, `database_not_migrated`,
   * `database_permission_denied`, `database_error` for what is not classified. A commit whose answer is lost is
   * `database_unavailable`: it may have happened, so callers have to be able to run the same work again.
   */
  override async run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#runOnce(work);
      } catch (error) {
        if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
        // Those who were in conflict must not meet again: 5–10 ms, then 10–20 ms, …
        await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
      }
    }
  }

  /** Waits for the transactions under way and closes the connections. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #runOnce<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let isUsable = false;
    try {
      const result = await inTransaction(client, work);
      isUsable = true;
      return result;
    } catch (error) {
      isUsable = !isUnavailable(error) && (await isRolledBack(client));
      throw error;
    } finally {
      client.release(!isUsable);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw classify(error);
    }
  }
}

async function inTransaction<T>(client: PoolClient, work: (tx: Transaction) => Promise<T>): Promise<T> {
  await command(client, 'BEGIN ISOLATION LEVEL READ COMMITTED');
  const session = new Session(client);
  try {
    const result = await work(new PgTransaction(session));
    session.end();
    // PostgreSQL answers the commit of a failed transaction with a rollback, not with an error.
    if ((await command(client, 'COMMIT')) !== 'COMMIT') {
      throw new TerminalError('transaction_failed', 'A statement had failed, so the transaction was rolled back.');
    }
    return result;
  } finally {
    session.end();
  }
}

async function command(client: PoolClient, sql: string): Promise<string> {
  try {
    return (await client.query(sql)).command;
  } catch (error) {
    throw classify(error);
  }
}

/** A connection that cannot even roll back is not used again. */
async function isRolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}
