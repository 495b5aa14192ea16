import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assetPath } from './assets.js';
import { archiveName, cacheFolder, classPath, definedOnly, kafkaHome } from './kafka-home.js';
import { isKafkaReady } from './kafka-probe.js';
import { endPart, runToEnd, startPart } from './part-runner.js';
import { onFreePorts } from './ports.js';
import { addUsers, makeKeyStore, type KafkaUsers, type KeyStore, type SecuredAddress } from './secured-listener.js';
import { findJava } from './toolchain.js';
import type { PartCommand, PartProcess, Watchdog } from './watchdog.js';

const JVM_OPTIONS = [
  '-Xms64m',
  '-Xmx256m',
  '-XX:MaxDirectMemorySize=64m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Xshare:auto',
  '-Djava.awt.headless=true',
  // Large messages pass through buffers that each thread would otherwise keep for ever.
  '-Djdk.nio.maxCachedBufferSize=1048576',
];
/** Includes the seconds in which the JVM writes its archive of classes, at the first stop ever. */
const STOP_WITHIN_MS = 30_000;

/** What a broker is started with, again and again. */
interface Setup {
  readonly watchdog: Watchdog;
  readonly java: string;
  readonly classPath: string;
  /** Archive of loaded classes in the cache; the first clean stop makes it, and each later start takes half the time. */
  readonly archive: string;
  readonly folder: string;
  readonly clusterId: string;
  readonly env: Record<string, string>;
  readonly secured: { readonly users: KafkaUsers; readonly keyStore: KeyStore } | undefined;
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  /** Listened on only where there are users. */
  readonly secured: number;
}

/** One Apache Kafka broker on loopback, started by us. It keeps its port and its data over stops and kills. */
export class KafkaBroker {
  readonly brokers: string[];

  /** The listener of the users, where there are any. */
  readonly secured: SecuredAddress | undefined;

  private constructor(
    private readonly setup: Setup,
    private readonly ports: Ports,
    private process: PartProcess,
  ) {
    this.brokers = [`127.0.0.1:${ports.plain}`];
    const { secured } = setup;
    this.secured = secured && {
      brokers: [`127.0.0.1:${ports.secured}`],
      certificateFile: secured.keyStore.certificateFile,
    };
  }

  /** Fetches it if need be, prepares a data folder in `folder`, starts it and waits until it answers. */
  static async start(
    watchdog: Watchdog,
    folder: string,
    env: NodeJS.ProcessEnv,
    users: KafkaUsers | undefined,
    onProgress: (line: string) => void,
  ): Promise<KafkaBroker> {
    const java = await findJava(env);
    const home = await kafkaHome(watchdog, folder, env, onProgress);
    onProgress('Kafka: starting …');
    const began = performance.now();
    const jars = await classPath(home);
    const childEnv = definedOnly(env);
    const keyStore = users && (await makeKeyStore(watchdog, java.command, { cwd: folder, env: childEnv }));
    const setup: Setup = {
      watchdog,
      java: java.command,
      classPath: jars.join(':'),
      archive: join(cacheFolder(env), await archiveName(java.version, JVM_OPTIONS, jars)),
      folder,
      // 22 characters; a leading sign would be read as an option.
      clusterId: randomBytes(16).toString('base64url').replace(/^[-_]/, 'A'),
      env: childEnv,
      secured: users && keyStore && { users, keyStore },
    };
    const broker = await onFreePorts(3, async ([plain = 0, controller = 0, secured = 0]) => {
      const ports = { plain, controller, secured };
      await writeConfiguration(setup, ports);
      return new KafkaBroker(setup, ports, await run(setup, plain));
    });
    onProgress(`Kafka: ready on ${broker.brokers.join()} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    return broker;
  }

  /** Starts it again where it was; nothing happens if it runs. */
  async start(): Promise<void> {
    if (this.process.ended) this.process = await run(this.setup, this.ports.plain);
  }

  /** Stops it in good order. */
  async stop(): Promise<void> {
    await endPart(this.process, 'SIGTERM', STOP_WITHIN_MS);
    await keepArchive(this.setup);
  }

  /** Ends it without any warning, as a crash does. */
  async kill(): Promise<void> {
    await endPart(this.process, 'SIGKILL', STOP_WITHIN_MS);
  }
}

/** Writes the configuration and, once, formats the data folder for this cluster. */
async function writeConfiguration(setup: Setup, ports: Ports): Promise<void> {
  const { secured } = setup;
  const data = join(setup.folder, 'kafka-data');
  const values: Readonly<Record<string, string>> = {
    PORT: String(ports.plain),
    CONTROLLER_PORT: String(ports.controller),
    SECURED_PORT: String(ports.secured),
    DATA_FOLDER: data,
    KEY_STORE: secured?.keyStore.file ?? '',
    KEY_STORE_PASSWORD: secured?.keyStore.password ?? '',
  };
  // Of a property that is given twice, the last one counts.
  const templates = ['server.properties', ...(secured === undefined ? [] : ['secured.properties'])];
  const texts = await Promise.all(templates.map((name) => readFile(assetPath(name), 'utf8')));
  const configuration = texts.join('\n').replace(/@([A-Z_]+)@/g, (_, name: string) => values[name] ?? '');
  await writeFile(configurationFile(setup), configuration, { mode: 0o600 });
  if (existsSync(join(data, 'meta.properties'))) return;
  const users = secured === undefined ? [] : addUsers(secured.users);
  const format = ['format', '--cluster-id', setup.clusterId, '--config', configurationFile(setup), ...users];
  await runToEnd(setup.watchdog, "Formatting Kafka's data folder", {
    ...javaCommand(setup, sharing(setup), 'kafka.tools.StorageTool', format),
    logFile: join(setup.folder, 'kafka-format.log'),
  });
}

async function run(setup: Setup, port: number): Promise<PartProcess> {
  const archiving = existsSync(setup.archive) ? sharing(setup) : [`-XX:ArchiveClassesAtExit=${newArchive(setup)}`];
  const command = javaCommand(setup, archiving, 'kafka.Kafka', [configurationFile(setup)]);
  return startPart(setup.watchdog, 'Kafka', command, () => isKafkaReady('127.0.0.1', port, setup.clusterId));
}

function javaCommand(setup: Setup, options: readonly string[], main: string, args: readonly string[]): PartCommand {
  const logging = `-Dlog4j2.configurationFile=${assetPath('log4j2.xml')}`;
  return {
    command: setup.java,
    args: [...JVM_OPTIONS, ...options, logging, '-cp', setup.classPath, main, ...args],
    cwd: setup.folder,
    env: setup.env,
    logFile: join(setup.folder, 'kafka.log'),
    // Nobody will read its data any more.
    quitSignal: 'SIGKILL',
  };
}

const configurationFile = (setup: Setup): string => join(setup.folder, 'server.properties');
const newArchive = (setup: Setup): string => join(setup.folder, 'kafka.jsa');

function sharing(setup: Setup): string[] {
  return existsSync(setup.archive) ? [`-XX:SharedArchiveFile=${setup.archive}`] : [];
}

/** Moves the archive that a stopping broker wrote, if it wrote one, to the cache: all at once, as for the jars. */
async function keepArchive(setup: Setup): Promise<void> {
  if (!existsSync(newArchive(setup)) || existsSync(setup.archive)) return;
  const copy = `${setup.archive}.${randomUUID()}`;
  try {
    await copyFile(newArchive(setup), copy);
    await rename(copy, setup.archive);
  } catch {
    // It is a matter of speed only: a full disk must not fail a stop.
    await rm(copy, { force: true });
  }
}
