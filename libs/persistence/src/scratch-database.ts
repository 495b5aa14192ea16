import { randomUUID } from 'node:crypto';
import { RetryableError } from '@v402/domain';
import pg from 'pg';
import { migrate } from './migrate/migrate.js';

/** What a message can leave behind: a settlement, one more delivery of it, a refusal, an entry in quarantine. */
export interface RecordedOutcome {
  readonly outcome: 'accepted' | 'duplicate' | 'rejected' | 'quarantined';
  readonly code: string | undefined;
  /** Of accepted contracts and their duplicates. */
  readonly contractId: string | undefined;
  readonly shortRef: string | undefined;
  /** How many messages ended like this. */
  readonly times: number;
}

/** Rows that are there from the migrations on and never go. */
const KEPT = 'relay_shard';

const OUTCOMES = `
  SELECT 'accepted' AS outcome, NULL AS code, encode(contract_id, 'hex') AS "contractId", short_ref AS "shortRef",
         1 AS times, 'accepted ' || encode(contract_id, 'hex') AS key
    FROM v402.settlement
  UNION ALL
  SELECT 'duplicate', NULL, encode(contract_id, 'hex'), short_ref, duplicates, 'duplicate ' || encode(contract_id, 'hex')
    FROM v402.settlement WHERE duplicates > 0
  UNION ALL
  SELECT 'rejected', code, NULL, NULL, occurrences, 'rejected ' || encode(raw_digest, 'hex') || code
    FROM v402.rejection
  UNION ALL
  SELECT 'quarantined', code, NULL, NULL, occurrences, 'quarantined ' || id
    FROM v402.quarantine`;

interface OutcomeRow {
  readonly outcome: RecordedOutcome['outcome'];
  readonly code: string | null;
  readonly contractId: string | null;
  readonly shortRef: string | null;
  readonly times: number;
  readonly key: string;
}

/**
 * A migrated database of one program's own, to try things in and throw away. The cluster's login roles are left alone:
 * its application URL is the administrator's, in the role of the services and with no right beyond theirs.
 */
export class ScratchDatabase {
  private constructor(
    readonly name: string,
    /** As the services connect: role `v402_app`. */
    readonly appUrl: string,
    private readonly maintenanceUrl: string,
    private readonly admin: pg.Client,
    private readonly clearing: string,
  ) {}

  /**
   * @param adminUrl a role that may create databases and roles, connected to any database
   * @throws RetryableError `database_unreachable`; TerminalError of `migrate`
   */
  static async create(adminUrl: string): Promise<ScratchDatabase> {
    const name = `v402_scratch_${randomUUID().replaceAll('-', '')}`;
    await atMaintenance(adminUrl, `CREATE DATABASE ${name}`);
    const url = new URL(adminUrl);
    url.pathname = `/${name}`;
    const ownerUrl = url.href;
    const admin = new pg.Client({ connectionString: ownerUrl, application_name: 'v402 scratch' });
    try {
      await migrate({ ownerUrl });
      // Dropping the database cuts this connection off, which is no news.
      admin.on('error', () => undefined);
      await admin.connect();
      await joinApp(admin);
      url.searchParams.set('options', '-c role=v402_app');
      return new ScratchDatabase(name, url.href, adminUrl, admin, await clearingStatement(admin));
    } catch (error) {
      await admin.end();
      await drop(adminUrl, name);
      throw error;
    }
  }

  /** Empties every table, so that the next message finds the state of a new installation. */
  async clear(): Promise<void> {
    await this.admin.query(this.clearing);
  }

  /** What the messages since the last `clear` left behind, by a key that stays the same while its `times` grow. */
  async outcomes(): Promise<ReadonlyMap<string, RecordedOutcome>> {
    const { rows } = await this.admin.query<OutcomeRow>({ name: 'outcomes', text: OUTCOMES });
    return new Map(
      rows.map(({ key, outcome, code, contractId, shortRef, times }) => [
        key,
        {
          outcome,
          code: code ?? undefined,
          contractId: contractId ?? undefined,
          shortRef: shortRef ?? undefined,
          times,
        },
      ]),
    );
  }

  /** Cuts off whoever is still connected. */
  async drop(): Promise<void> {
    await this.admin.end();
    await drop(this.maintenanceUrl, this.name);
  }
}

/** A superuser may take every role; one who made the role may grant it, and has to before taking it. */
async function joinApp(admin: pg.Client): Promise<void> {
  try {
    await admin.query('SET ROLE v402_app');
    await admin.query('RESET ROLE');
  } catch {
    await admin.query('GRANT v402_app TO CURRENT_USER');
  }
}

/**
 * One statement that deletes from all tables of schema v402, so foreign keys are looked at when all rows are gone. For
 * tables of a few rows it is several times faster than TRUNCATE, which makes new files.
 */
async function clearingStatement(admin: pg.Client): Promise<string> {
  const { rows } = await admin.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'v402' AND tablename <> $1",
    [KEPT],
  );
  const deletes = rows.map(({ name }, index) => `cleared_${index} AS (DELETE FROM ${name})`);
  return `WITH ${deletes.join(', ')} SELECT`;
}

async function drop(maintenanceUrl: string, name: string): Promise<void> {
  await atMaintenance(maintenanceUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function atMaintenance(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'v402 scratch' });
  try {
    await client.connect();
  } catch (cause) {
    throw new RetryableError('database_unreachable', 'The database server could not be reached.', {}, { cause });
  }
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
