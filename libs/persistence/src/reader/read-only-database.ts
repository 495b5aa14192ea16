import type { Pool } from 'pg';
import { classify } from '../pg-errors.js';
import { createPool, type DatabaseOptions } from '../pool.js';
import { Session } from '../session.js';

/** Reads in transactions that see the database at one moment and cannot write. */
export class ReadOnlyDatabase {
  readonly #pool: Pool;

  constructor(options: DatabaseOptions) {
    this.#pool = createPool({ maxConnections: 2, ...options });
  }

  /** @throws RetryableError as `PgUnitOfWork.run` */
  async atOneMoment<T>(read: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw classify(error);
    });
    const ignore = (): void => undefined;
    client.on('error', ignore);
    const session = new Session(client);
    let isUsable = false;
    try {
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const result = await read(session);
      await session.query('COMMIT');
      isUsable = true;
      return result;
    } finally {
      session.end();
      client.off('error', ignore);
      // A connection whose transaction failed is not worth mending: reads are rare.
      client.release(!isUsable);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
