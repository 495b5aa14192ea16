import { RetryableError, TerminalError } from '@v402/domain';
import pg from 'pg';
import { classify } from '../pg-errors.js';
import { type Migration, readMigrations } from './migrations-folder.js';
import { connectSchemaEngine } from './schema-engine.js';

export interface MigrateOptions {
  /** Connection URL of the role that owns the database. */
  readonly ownerUrl: string;
  /** Those of the release by default. */
  readonly migrations?: readonly Migration[];
}

/** Processes that start together must not migrate together. The number is ours alone and never changes. */
const MIGRATION_LOCK = '402402402';

/**
 * Brings a database to the state of this release and returns the names of what was applied, oldest first. Prisma's own
 * engine applies the migrations and keeps its table `_prisma_migrations`, so `prisma migrate deploy` does the same.
 * Each migration happens whole or not at all, and a failed one is tried again by the next call.
 * @throws TerminalError `migration_failed`, `migration_edited`; RetryableError `database_unreachable`
 */
export const migrate = async ({
  ownerUrl,
  migrations = readMigrations(),
}: MigrateOptions): Promise<readonly string[]> => {
  const connection = { connectionString: ownerUrl, application_name: 'v402 migrate' };
  const lock = new pg.Client(connection);
  // Should this connection break while it only holds the lock, the engine's own will tell.
  lock.on('error', () => undefined);
  const pool = new pg.Pool({ ...connection, max: 1 });
  try {
    await lock.connect().catch(rethrowUnreachable);
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await applyMigrations(pool, migrations);
  } finally {
    await pool.end();
    await lock.end();
  }
};

const rethrowUnreachable = (cause: unknown): never => {
  // A server that answers is reached: what it says, such as a refused password, is said.
  if (cause instanceof pg.DatabaseError) throw classify(cause);
  throw new RetryableError('database_unreachable', 'The database could not be reached.', {}, { cause });
};

const applyMigrations = async (pool: pg.Pool, migrations: readonly Migration[]): Promise<readonly string[]> => {
  const filters = { externalTables: [], externalEnums: [] };
  const migrationsList = {
    baseDir: 'prisma/migrations',
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
    })),
  };
  const engine = await connectSchemaEngine(pool);
  try {
    const state = await engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters });
    // Since a script is one transaction, one that failed or was cut off has left nothing behind.
    for (const migrationName of state.failedMigrationNames) await engine.markMigrationRolledBack({ migrationName });
    const edited = state.editedMigrationNames.filter((name) => !state.failedMigrationNames.includes(name)).join(', ');
    if (edited !== '') {
      throw new TerminalError('migration_edited', `Changed since it was applied: ${edited}.`, { edited });
    }
    return (await engine.applyMigrations({ migrationsList, filters })).appliedMigrationNames;
  } catch (cause) {
    if (cause instanceof TerminalError) throw cause;
    throw new TerminalError('migration_failed', `A migration failed: ${messageOf(cause)}`, {}, { cause });
  } finally {
    engine.free();
  }
};

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).trim();
