export * from './migrate/migrate.js';
export { type Migration, readMigrations } from './migrate/migrations-folder.js';
export * from './provision.js';
export { PgUnitOfWork } from './pg-unit-of-work.js';
export type { DatabaseOptions } from './pool.js';
export type { Figures } from './reader/figures.js';
export { SettlementReader } from './reader/settlement-reader.js';
export type { SettlementView } from './reader/settlement-view.js';
export { ScratchDatabase, type RecordedOutcome } from './scratch-database.js';
