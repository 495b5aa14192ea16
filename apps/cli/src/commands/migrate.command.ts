import { loadConfig } from '@v402/config';
import type { Command } from 'commander';

const DETAILS = `
Connects as the role that owns the database, V402_OWNER_DATABASE_URL. Each migration happens whole or not at all; run
again, it changes nothing.

Exit status: 0 up to date, 2 a migration failed or the database is away.`;

export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .summary('bring the database to the state of this release')
    .description('Brings the database to the state of this release.')
    .addHelpText('after', DETAILS)
    .action(migrateDatabase);
}

async function migrateDatabase(): Promise<void> {
  const { V402_OWNER_DATABASE_URL: ownerUrl } = loadConfig(process.env, ['v402 migrate']);
  const { migrate } = await import('@v402/persistence');
  const applied = await migrate({ ownerUrl });
  for (const name of applied) process.stdout.write(`applied ${name}\n`);
  if (applied.length === 0) process.stdout.write('The database is up to date.\n');
}
