import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { PartsError } from './parts-error.js';
import { endPart, runToEnd, startPart } from './part-runner.js';
import { onFreePorts } from './ports.js';
import { readablePrograms, type User } from './postgres-binaries.js';
import type { PartCommand, PartProcess, Watchdog } from './watchdog.js';

const PROBE_TIMEOUT_MS = 10_000;
const STOP_WITHIN_MS = 15_000;
const OLDEST_VERSION = 150_000;

/** How PostgreSQL is stopped: `fast` in good order, `immediate` without saving, so that the next start recovers as after a crash. */
export type PostgresStop = 'fast' | 'immediate';

/** PEM files of a server that takes no connection without TLS. Paths stand in its URL, so they are absolute. */
export interface PostgresTls {
  /** Valid for 127.0.0.1. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Of the certificate's issuer, which clients check it by. */
  readonly issuerFile: string;
}

interface Setup {
  readonly watchdog: Watchdog;
  readonly programs: string;
  readonly folder: string;
  readonly user: User | undefined;
  readonly password: string;
  /** Whether a commit waits for the disk. */
  readonly fsync: boolean;
  readonly tls: PostgresTls | undefined;
}

type Wishes = Pick<Setup, 'fsync' | 'tls'>;

/** One PostgreSQL on loopback, started by us. It keeps its port and its data over stops. */
export class PostgresServer {
  readonly adminUrl: string;

  private constructor(
    private readonly setup: Setup,
    private readonly port: number,
    private process: PartProcess,
  ) {
    this.adminUrl = url(setup, port);
  }

  /** Prepares a data folder in `folder`, starts it and waits until it answers. */
  static async start(
    watchdog: Watchdog,
    folder: string,
    user: User | undefined,
    wishes: Wishes,
    onProgress: (line: string) => void,
  ): Promise<PostgresServer> {
    onProgress('PostgreSQL: starting …');
    const began = performance.now();
    const programs = await readablePrograms(folder, user);
    const setup: Setup = {
      watchdog,
      programs,
      folder,
      user,
      password: randomBytes(18).toString('base64url'),
      ...wishes,
    };
    await initialise(setup);
    const server = await onFreePorts(1, async ([port = 0]) => new PostgresServer(setup, port, await run(setup, port)));
    onProgress(`PostgreSQL: ready on 127.0.0.1:${server.port} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    return server;
  }

  /** Starts it again where it was; nothing happens if it runs. */
  async start(): Promise<void> {
    if (this.process.ended) this.process = await run(this.setup, this.port);
  }

  async stop(how: PostgresStop = 'fast'): Promise<void> {
    await endPart(this.process, how === 'fast' ? 'SIGINT' : 'SIGQUIT', STOP_WITHIN_MS);
  }
}

/** Version of the PostgreSQL there as a number (180004 for 18.4), or nothing if none answers. */
async function postgresVersion(connectionString: string): Promise<number | undefined> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: PROBE_TIMEOUT_MS });
  // A server that goes away between two calls must not end this program.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
    return Number(rows[0]?.server_version_num);
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Throws `address_unreachable` unless a PostgreSQL that is new enough answers there. */
export async function checkPostgres(connectionString: string, origin: string): Promise<void> {
  const version = await postgresVersion(connectionString);
  if (version !== undefined && version >= OLDEST_VERSION) return;
  const problem = version === undefined ? 'no PostgreSQL lets us in there' : 'the PostgreSQL there is older than 15';
  throw new PartsError(
    'address_unreachable',
    `${origin} is set, but ${problem}. Correct it, or unset it to start one here.`,
  );
}

async function initialise(setup: Setup): Promise<void> {
  const data = dataFolder(setup);
  const passwordFile = join(setup.folder, 'postgres-password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, setup.password, { mode: 0o600 });
  if (setup.user) {
    for (const path of [data, passwordFile]) await chown(path, setup.user.uid, setup.user.gid);
  }
  const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const text = ['--encoding=UTF8', '--locale=C'];
  // What initdb writes need not survive a loss of power: nobody has it yet.
  const args = [`--pgdata=${data}`, ...access, ...text, '--no-sync', '--no-instructions'];
  await runToEnd(setup.watchdog, 'initdb', command(setup, 'initdb', args, 'initdb.log'));
  await rm(passwordFile);
  if (setup.tls) await requireTls(setup, setup.tls);
}

/** Copies what the server shows to where its user can read it, and lets nobody in who does not ask for it. */
async function requireTls(setup: Setup, { certificateFile, keyFile }: PostgresTls): Promise<void> {
  const data = dataFolder(setup);
  const key = join(data, 'server.key');
  await cp(certificateFile, join(data, 'server.crt'));
  await cp(keyFile, key);
  await chmod(key, 0o600);
  if (setup.user) await chown(key, setup.user.uid, setup.user.gid);
  await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
}

async function run(setup: Setup, port: number): Promise<PartProcess> {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '64MB',
    // In the data folder, and so gone with it, whatever ends the server.
    dynamic_shared_memory_type: 'mmap',
    timezone: 'UTC',
    log_timezone: 'UTC',
    fsync: setup.fsync ? 'on' : 'off',
    ssl: setup.tls ? 'on' : 'off',
  };
  const args = [
    '-D',
    dataFolder(setup),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const isReady = async (): Promise<boolean> => (await postgresVersion(url(setup, port))) !== undefined;
  return startPart(setup.watchdog, 'PostgreSQL', command(setup, 'postgres', args, 'postgres.log'), isReady);
}

function command(setup: Setup, program: string, args: readonly string[], log: string): PartCommand {
  return {
    command: join(setup.programs, program),
    args,
    cwd: setup.folder,
    // Nothing of the user's PostgreSQL settings (PGDATA, PGOPTIONS, …) may reach it.
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    logFile: join(setup.folder, log),
    // It ends its own children and frees its shared memory, but saves nothing.
    quitSignal: 'SIGQUIT',
    user: setup.user,
  };
}

const dataFolder = (setup: Setup): string => join(setup.folder, 'postgres-data');

function url({ password, tls }: Setup, port: number): string {
  const plain = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  return tls ? `${plain}?sslmode=verify-full&sslrootcert=${encodeURIComponent(tls.issuerFile)}` : plain;
}
