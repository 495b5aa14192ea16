import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { classify } from '../pg-errors.js';
import { createPool, type DatabaseOptions } from '../pool.js';
import { Session, type SqlValue } from '../session.js';

/** Reads in transactions that see the database at one moment and cannot write. */
export class ReadOnlyDatabase {
  readonly #pool: Pool;

  constructor(options: DatabaseOptions) {
    this.#pool = createPool({ maxConnections: 2, ...options });
  }

  /** @throws RetryableError as `PgUnitOfWork.run` */
  async atOneMoment<T>(read: (session: Session) => Promise<T>): Promise<T> {
    const lent = await this.#lend();
    try {
      const result = await read(lent.session);
      await lent.giveBack();
      return result;
    } finally {
      lent.discard();
    }
  }

  /**
   * The rows of one statement as they are at one moment, some at a time: the next ones are not fetched before the last ones
   * are dealt with.
   * @throws RetryableError as `PgUnitOfWork.run`
   */
  async *inParts<Row extends QueryResultRow>(
    text: string,
    values: readonly SqlValue[],
    size: number,
  ): AsyncIterable<readonly Row[]> {
    const lent = await this.#lend();
    try {
      await lent.session.query(`DECLARE part NO SCROLL CURSOR FOR ${text}`, values);
      for (;;) {
        const rows = await lent.session.query<Row>(`FETCH ${size} FROM part`);
        if (rows.length > 0) yield rows;
        if (rows.length < size) break;
      }
      await lent.giveBack();
    } finally {
      lent.discard();
    }
  }

  async #lend(): Promise<LentSession> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw classify(error);
    });
    const lent = new LentSession(client);
    try {
      await lent.session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return lent;
    } catch (error) {
      lent.discard();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** A connection with its transaction. It is given back once, or discarded. */
class LentSession {
  readonly session: Session;
  #isLent = true;

  constructor(private readonly client: PoolClient) {
    this.session = new Session(client);
  }

  /** Ends the transaction in order. */
  async giveBack(): Promise<void> {
    await this.session.query('COMMIT');
    this.#release(false);
  }

  /** Without effect on one that was given back. A connection whose transaction failed is not worth mending: reads are rare. */
  discard(): void {
    if (this.#isLent) this.#release(true);
  }

  #release(isBroken: boolean): void {
    this.#isLent = false;
    this.session.end();
    this.client.release(isBroken);
  }
}
