import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { brokersFrom, KAFKA_VARIABLE, POSTGRES_VARIABLE, postgresUrlFrom } from './addresses.js';
import { assetPath } from './assets.js';
import { KafkaCluster } from './kafka-cluster.js';
import { isKafkaReady } from './kafka-probe.js';
import { areRunning, readKept, stateFile, type KeptParts } from './kept-parts.js';
import { PartsError } from './parts-error.js';
import { postgresUser, reachableTemporaryFolder, type User } from './postgres-binaries.js';
import { checkPostgres, PostgresServer, type PostgresStop, type PostgresTls } from './postgres-server.js';
import type { KafkaUsers, SecuredAddress } from './secured-listener.js';
import { Watchdog } from './watchdog.js';

export interface LocalPartsOptions {
  /** Whether Kafka is wanted; yes if absent. */
  readonly kafka?: boolean;
  /** Whether PostgreSQL is wanted; yes if absent. */
  readonly postgres?: boolean;
  /** Start our own even if the environment gives addresses: for tests that stop and kill them. */
  readonly embedded?: boolean;
  /** Whether PostgreSQL's commits wait for the disk, as in production; yes if absent. */
  readonly fsync?: boolean;
  /** How many brokers the Kafka that is started has; one if absent. */
  readonly kafkaBrokers?: number;
  /** Gives the Kafka that is started a second listener, for these users: TLS, SCRAM-SHA-512, and only what ACLs allow. */
  readonly kafkaUsers?: KafkaUsers;
  /** Has the PostgreSQL that is started take connections with TLS only. */
  readonly postgresTls?: PostgresTls;
  /** Let the parts outlive this program, until `stop` or `stopKept(dir)`. */
  readonly keep?: boolean;
  /** Where kept parts are written down; in their temporary folder if absent. */
  readonly dir?: string;
  /** Takes lines that say what is being fetched and started. */
  readonly onProgress?: (line: string) => void;
}

/** One broker of several, to be stopped and killed alone. */
export interface KafkaNode {
  /** As `host:port`. */
  readonly address: string;
  /** Starts it again with its data and its ports. */
  start(): Promise<void>;
  /** Stops it in good order. */
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

export interface KafkaPart {
  /** As `host:port`. */
  readonly brokers: string[];
  /** The listener of the `kafkaUsers`, if it has one. */
  readonly secured?: SecuredAddress | undefined;
  /** Its brokers, by their ids from 1; none if it was found, not started. */
  readonly nodes: readonly KafkaNode[];
  /** Starts it again with its data and its port. This and the next two throw `part_not_ours` if it was found, not started. */
  start(): Promise<void>;
  /** Stops it in good order. */
  stop(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

export interface PostgresPart {
  /** URL of a maintenance database, as a user who may create databases and roles. */
  readonly adminUrl: string;
  /** Starts it again with its data and its port. This and the next throw `part_not_ours` if it was found, not started. */
  start(): Promise<void>;
  /** In good order (`fast`, the default), or so that the next start must recover (`immediate`). */
  stop(how?: PostgresStop): Promise<void>;
}

/** Kafka and PostgreSQL, ready for use. Asking for one that was not wanted throws `part_not_started`. */
export interface LocalParts {
  readonly kafka: KafkaPart;
  readonly postgres: PostgresPart;
  /** Stops what was started and removes its folders; parts that were found are left alone. */
  stop(): Promise<void>;
}

/** What is being put together while the parts start. */
interface Run {
  readonly watchdog: Watchdog;
  readonly folder: string;
  readonly user: User | undefined;
}

/**
 * Finds Kafka and PostgreSQL by `V402_TEST_KAFKA_BROKERS` and `V402_TEST_POSTGRES_URL`, or starts them on free loopback
 * ports. A watchdog process ends what was started when this program is gone, a kill -9 included. Throws `PartsError`.
 */
export async function startLocalParts(options: LocalPartsOptions = {}): Promise<LocalParts> {
  const env = options.embedded ? {} : process.env;
  const brokers = options.kafka === false ? undefined : brokersFrom(env);
  const adminUrl = options.postgres === false ? undefined : postgresUrlFrom(env);
  const startKafka = options.kafka !== false && !brokers;
  const startPostgres = options.postgres !== false && adminUrl === undefined;
  if (options.keep && options.dir !== undefined) await refuseSecondKept(options.dir);
  if (brokers) await checkBrokers(brokers);
  if (adminUrl !== undefined) await checkPostgres(adminUrl, POSTGRES_VARIABLE);
  const found = {
    kafka: brokers && foundKafka(brokers),
    postgres: adminUrl === undefined ? undefined : foundPostgres(adminUrl),
  };
  if (!startKafka && !startPostgres) return localParts(found.kafka, found.postgres, () => Promise.resolve());
  return startMissing(options, startKafka, startPostgres, found);
}

async function startMissing(
  options: LocalPartsOptions,
  startKafka: boolean,
  startPostgres: boolean,
  found: { kafka: KafkaPart | undefined; postgres: PostgresPart | undefined },
): Promise<LocalParts> {
  const onProgress = options.onProgress ?? (() => undefined);
  const run = await newRun(startPostgres);
  const { watchdog, folder, user } = run;
  const nothing = Promise.resolve(undefined);
  const kafkaWishes = { brokerCount: options.kafkaBrokers ?? 1, users: options.kafkaUsers };
  const postgresWishes = { fsync: options.fsync ?? true, tls: options.postgresTls };
  const starting = [
    startKafka ? KafkaCluster.start(watchdog, folder, process.env, kafkaWishes, onProgress) : nothing,
    startPostgres ? PostgresServer.start(watchdog, folder, user, postgresWishes, onProgress) : nothing,
  ] as const;
  try {
    const [cluster, server] = await Promise.all(starting);
    const stop = async (): Promise<void> => {
      await Promise.all([cluster?.stop(), server?.stop()]);
      await watchdog.finish();
    };
    const parts = localParts(cluster ?? found.kafka, server ?? found.postgres, stop);
    if (options.keep) {
      const addresses = { kafkaBrokers: cluster?.brokers.join(), postgresUrl: server?.adminUrl };
      await keep(run, options.dir ?? folder, addresses, onProgress);
    }
    return parts;
  } catch (error) {
    await watchdog.finish();
    // The other part fails for want of the watchdog, and may till then have written to the folder.
    await Promise.allSettled(starting);
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function newRun(startPostgres: boolean): Promise<Run> {
  const user = startPostgres ? await postgresUser() : undefined;
  const base = await reachableTemporaryFolder(user);
  const watchdog = new Watchdog();
  return { watchdog, user, folder: await watchdog.folder(join(base, 'v402-parts-')) };
}

function localParts(
  kafka: KafkaPart | undefined,
  postgres: PostgresPart | undefined,
  stop: () => Promise<void>,
): LocalParts {
  let stopped: Promise<void> | undefined;
  return {
    get kafka() {
      return wanted(kafka, 'Kafka');
    },
    get postgres() {
      return wanted(postgres, 'PostgreSQL');
    },
    stop: () => (stopped ??= stop()),
  };
}

function wanted<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new PartsError('part_not_started', `${name} was not asked for.`);
  return part;
}

function foundKafka(brokers: string[]): KafkaPart {
  const refuse = notOurs(KAFKA_VARIABLE);
  return { brokers, nodes: [], start: refuse, stop: refuse, kill: refuse };
}

function foundPostgres(adminUrl: string): PostgresPart {
  const refuse = notOurs(POSTGRES_VARIABLE);
  return { adminUrl, start: refuse, stop: refuse };
}

function notOurs(variable: string): () => Promise<never> {
  return () =>
    Promise.reject(new PartsError('part_not_ours', `${variable} gave this part; it is not ours to stop or start.`));
}

async function checkBrokers(brokers: readonly string[]): Promise<void> {
  for (const broker of brokers) {
    const colon = broker.lastIndexOf(':');
    if (await isKafkaReady(broker.slice(0, colon), Number(broker.slice(colon + 1)))) return;
  }
  throw new PartsError(
    'address_unreachable',
    `${KAFKA_VARIABLE} is set, but no Kafka answers at ${brokers.join()}. Correct it, or unset it to start one here.`,
  );
}

async function refuseSecondKept(dir: string): Promise<void> {
  const kept = await readKept(dir);
  if (!kept || !(await areRunning(kept))) return;
  throw new PartsError('parts_already_kept', `Parts are running already. ${howToStop(dir)}`);
}

async function keep(
  { watchdog, folder }: Run,
  dir: string,
  addresses: Pick<KeptParts, 'kafkaBrokers' | 'postgresUrl'>,
  onProgress: (line: string) => void,
): Promise<void> {
  const kept: KeptParts = { ...addresses, socket: join(folder, 'stop.sock'), folder };
  await mkdir(resolve(dir), { recursive: true });
  await writeFile(stateFile(dir), `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  await watchdog.keep(kept.socket, stateFile(dir));
  onProgress(`The parts keep running. ${howToStop(dir)}`);
}

function howToStop(dir: string): string {
  const script = relative(process.cwd(), join(assetPath('..'), 'bin', 'stop-kept.js'));
  return `To stop them: node ${script} ${relative(process.cwd(), resolve(dir)) || '.'}`;
}
