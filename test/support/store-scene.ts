import type { Transaction } from '@v402/application';
import { PgUnitOfWork } from '@v402/persistence';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from './database.js';
import { until } from './until.js';

interface StoreSceneOptions {
  readonly applicationName?: string;
  readonly maxConnections?: number;
}

/** The stores over a database of their own, and a superuser who looks at what they write. */
export class StoreScene {
  private constructor(
    readonly database: TestDatabase,
    readonly unitOfWork: PgUnitOfWork,
    readonly admin: pg.Client,
    private readonly applicationName: string,
  ) {}

  static async open({ applicationName = 'under test', ...options }: StoreSceneOptions = {}): Promise<StoreScene> {
    const database = await createTestDatabase();
    const unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName, ...options });
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    return new StoreScene(database, unitOfWork, admin, applicationName);
  }

  readonly run = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => this.unitOfWork.run(work);

  readonly rowsOf = async (sql: string, ...values: unknown[]): Promise<unknown[]> =>
    (await this.admin.query<Record<string, unknown>>(sql, values)).rows;

  /** Waits until a transaction of the unit of work waits for a lock. */
  readonly stuckBehindALock = async (): Promise<void> => {
    const sql =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock'";
    await until(async () => (await this.admin.query(sql, [this.applicationName])).rowCount !== 0);
  };

  async close(): Promise<void> {
    await this.unitOfWork.close();
    await this.admin.end();
    await this.database.drop();
  }
}
