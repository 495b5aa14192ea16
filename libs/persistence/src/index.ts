export * from './migrate/migrate.js';
export { type Migration, readMigrations } from './migrate/migrations-folder.js';
export * from './provision.js';
export { PgUnitOfWork } from './pg-unit-of-work.js';
export type { DatabaseOptions } from './pool.js';
