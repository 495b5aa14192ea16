// This file imports no other file of ours, so that prisma/new-migration.mjs can load it without a build.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum, DriverAdapterError } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** A file of the Prisma schema: its name and its text. */
export interface SchemaFile {
  readonly path: string;
  readonly content: string;
}

/** The part of the global that is used here; only the browser's type library declares it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { __wbindgen_start(): void } };
};

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;

/**
 * The pg adapter cuts a script at every semicolon and sends the pieces one by one, which breaks function bodies and lets
 * half a migration stand. Sent as one query, PostgreSQL runs a script in one transaction: whole or not at all.
 */
class WholeScriptAdapterFactory extends PrismaPg {
  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    adapter.executeScript = async (script: string): Promise<void> => {
      await adapter.underlyingDriver().query(script).catch(rethrowForEngine);
    };
    return adapter;
  }
}

/** The engine reports an error of the database in its own words only when it comes in this form. */
const rethrowForEngine = (error: unknown): never => {
  if (!(error instanceof pg.DatabaseError)) throw error;
  const { message, detail, column, hint } = error;
  const [code, severity] = [error.code ?? 'N/A', error.severity ?? 'N/A'];
  throw new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint });
};

/** The engine never clears the timer on its lock, which must not keep a finished program alive for ten seconds. */
const setBackgroundTimeout = (callback: () => void, delayMs: number): NodeJS.Timeout =>
  setTimeout(callback, delayMs).unref();

const engineImports = (): Record<string, unknown> => {
  const timers = Object.keys(bindings).filter((name) => name.startsWith('__wbg_setTimeout_'));
  return { ...bindings, ...Object.fromEntries(timers.map((name) => [name, setBackgroundTimeout])) };
};

let loaded = false;

/** Links the wasm module to its bindings, once a process. Node.js cannot import wasm by itself in every version we run on. */
const loadEngine = (): void => {
  if (loaded) return;
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const module = new WebAssembly.Module(readFileSync(join(folder, 'schema_engine_bg.wasm')));
  const { exports } = new WebAssembly.Instance(module, { './schema_engine_bg.js': engineImports() });
  bindings.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  loaded = true;
};

type EngineFactory = Parameters<typeof bindMigrationAwareSqlAdapterFactory>[0];

const startEngine = async (factory: EngineFactory, schema?: readonly SchemaFile[]): Promise<bindings.SchemaEngine> => {
  loadEngine();
  const datamodels = schema?.map(({ path, content }): [string, string] => [path, content]);
  return await bindings.SchemaEngine.new({ datamodels }, () => undefined, bindMigrationAwareSqlAdapterFactory(factory));
};

/**
 * Prisma's schema engine on a pool of one connection: it takes a session lock there, which lives as long as the
 * connection. Free the engine after use, and end the pool.
 */
export const connectSchemaEngine = async (pool: pg.Pool): Promise<bindings.SchemaEngine> =>
  await startEngine(new WholeScriptAdapterFactory(pool));

/** The oldest PostgreSQL that we support, as the engine asks for it when it starts; a diff asks nothing else. */
const OLDEST_SERVER = {
  columnNames: ['exists', 'version', 'numeric_version'],
  columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
  rows: [[true, 'PostgreSQL 15.0', 150000]],
};

const offline = (): Promise<never> => Promise.reject(new Error('a schema diff must not need a database'));

const describedServer: Awaited<ReturnType<EngineFactory['connect']>> = {
  provider: 'postgres',
  adapterName: 'described-server',
  queryRaw: () => Promise.resolve(OLDEST_SERVER),
  executeRaw: offline,
  executeScript: offline,
  startTransaction: offline,
  dispose: () => Promise.resolve(),
};

const describedServerFactory: EngineFactory = {
  provider: 'postgres',
  adapterName: 'described-server',
  connect: () => Promise.resolve(describedServer),
  connectToShadowDb: offline,
};

const target = (files: readonly SchemaFile[]): bindings.DiffTarget =>
  files.length === 0 ? { tag: 'empty' } : { tag: 'schemaDatamodel', files: files.map((file) => ({ ...file })) };

/** The SQL that leads from one Prisma schema to another, an empty list standing for an empty database. Needs no database. */
export const diffSchemas = async (from: readonly SchemaFile[], to: readonly SchemaFile[]): Promise<string> => {
  const engine = await startEngine(describedServerFactory, to);
  try {
    const filters = { externalTables: [], externalEnums: [] };
    const { stdout } = await engine.diff({ from: target(from), to: target(to), script: true, exitCode: null, filters });
    return stdout ?? '';
  } finally {
    engine.free();
  }
};
