export * from './migrate/migrate.js';
export { type Migration, readMigrations } from './migrate/migrations-folder.js';
export * from './provision.js';
