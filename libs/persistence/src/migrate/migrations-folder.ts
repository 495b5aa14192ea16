import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TerminalError } from '@v402/domain';

/** A migration as the release holds it. `name` starts with its timestamp, so names sort in the order of applying. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

const FOLDER = join('prisma', 'migrations');
const LOCKFILE = 'migration_lock.toml';

/** Built and as source this file stands at different depths of the repository, so the folder is looked for upwards. */
const findMigrationsFolder = (): string => {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, FOLDER, LOCKFILE))) return join(folder, FOLDER);
    if (folder === dirname(folder)) {
      throw new TerminalError('migrations_not_found', `There is no ${join(FOLDER, LOCKFILE)} above ${start}.`);
    }
  }
};

/** @throws TerminalError `migrations_not_found` where the program was installed without them */
export const readMigrations = (): readonly Migration[] => {
  const folder = findMigrationsFolder();
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, sql: readFileSync(join(folder, name, 'migration.sql'), 'utf8') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
};
