/**
 * Writes a migration from what changed in prisma/schema since the newest migration's snapshot. Needs no database.
 *
 *   npm run migration:new -- add_rail_accounts   a new migration; put hand-written SQL below its generated part
 *   npm run migration:new -- --initial           writes the initial migration anew: the generated part, then prisma/sql/*.sql.
 *                                                Only as long as it is the only one and no release holds it.
 *   npm run migration:new -- --check             exits 1 if prisma/schema or prisma/sql has changed since
 *   npm run migration:new -- --print             the DDL of the whole schema, as Prisma alone would write it
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diffSchemas } from '../libs/persistence/src/migrate/schema-engine.ts';

const INITIAL = '20261122000000_initial';
/** Order counts: the grants need the roles. */
const HAND_WRITTEN = ['roles.sql', 'v402.sql', 'orderbook.sql'];
const root = import.meta.dirname;
const migrations = join(root, 'migrations');

const read = (...path) => readFileSync(join(root, ...path), 'utf8');

const migrationNames = () =>
  readdirSync(migrations, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

/** The schema folder as one text: main.prisma first, so that the snapshot reads like a schema. */
const currentSchema = () => {
  const names = readdirSync(join(root, 'schema')).filter((name) => name.endsWith('.prisma'));
  return names
    .sort((a, b) => Number(b === 'main.prisma') - Number(a === 'main.prisma') || a.localeCompare(b))
    .map((name) => read('schema', name))
    .join('\n');
};

const asFiles = (content) => (content === undefined ? [] : [{ path: 'schema.prisma', content }]);

const generated = async (from, to) =>
  `-- Generated from prisma/schema. Hand-written SQL follows below it.\n${(await diffSchemas(asFiles(from), asFiles(to))).trim()}\n`;

const initialMigration = async () => {
  const parts = HAND_WRITTEN.map((name) => `\n-- prisma/sql/${name}\n${read('sql', name).trim()}\n`);
  return (await generated(undefined, currentSchema())) + parts.join('');
};

const write = (name, sql) => {
  const folder = join(migrations, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'migration.sql'), sql);
  writeFileSync(join(folder, 'schema.prisma'), currentSchema());
  console.log(`wrote prisma/migrations/${name}/migration.sql`);
};

const fail = (message) => {
  console.error(message);
  process.exit(1);
};

const writeInitial = async () => {
  const later = migrationNames().filter((name) => name !== INITIAL);
  if (later.length > 0) fail(`The initial migration is fixed, since ${later.join(', ')} builds on it.`);
  write(INITIAL, await initialMigration());
};

const check = async () => {
  const newest = migrationNames().at(-1);
  if (newest === undefined || read('migrations', newest, 'schema.prisma') !== currentSchema()) {
    fail('prisma/schema has changed since the newest migration was written: npm run migration:new -- NAME');
  }
  if (newest === INITIAL && read('migrations', INITIAL, 'migration.sql') !== (await initialMigration())) {
    fail('prisma/sql has changed since the initial migration was written: npm run migration:new -- --initial');
  }
};

const writeNext = async (name) => {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) fail('A migration is named in snake_case, for example add_rail_accounts.');
  const newest = migrationNames().at(-1);
  if (newest === undefined) fail('There is no initial migration yet: npm run migration:new -- --initial');
  const timestamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  if (timestamp <= newest.slice(0, 14)) fail(`The newest migration, ${newest}, is dated later than now.`);
  const snapshot = join(migrations, newest, 'schema.prisma');
  if (!existsSync(snapshot)) fail(`${newest} has no schema.prisma beside it to compare with.`);
  write(`${timestamp}_${name}`, await generated(readFileSync(snapshot, 'utf8'), currentSchema()));
};

const [argument] = process.argv.slice(2);
if (argument === '--initial') await writeInitial();
else if (argument === '--check') await check();
else if (argument === '--print') console.log(await diffSchemas([], asFiles(currentSchema())));
else if (argument !== undefined) await writeNext(argument);
else fail('Give the new migration a name: npm run migration:new -- NAME');
