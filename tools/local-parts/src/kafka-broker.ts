import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assetPath } from './assets.js';
import { isKafkaReady } from './kafka-probe.js';
import { endPart, runToEnd, startPart } from './part-runner.js';
import { addUsers, type KafkaUsers, type KeyStore } from './secured-listener.js';
import type { PartCommand, PartProcess, Watchdog } from './watchdog.js';

export const JVM_OPTIONS = [
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
/** A broker that stands still so long is given up by the others, and a killed one that comes back alone waits for it. */
const SESSION_MS = { alone: 1_500, amongOthers: 4_000 } as const;

export interface BrokerPorts {
  readonly plain: number;
  readonly controller: number;
  /** Listened on only where there are users. */
  readonly secured: number;
}

/** What the brokers of a cluster have in common. */
export interface ClusterSetup {
  readonly watchdog: Watchdog;
  readonly java: string;
  readonly classPath: string;
  /** Archive of loaded classes in the cache; the first clean stop makes it, and each later start takes half the time. */
  readonly archive: string;
  readonly clusterId: string;
  readonly env: Record<string, string>;
  readonly secured: { readonly users: KafkaUsers; readonly keyStore: KeyStore } | undefined;
}

/** What a broker is started with, again and again. */
interface Setup extends ClusterSetup {
  readonly folder: string;
  /** From 1: its place among `ports`. */
  readonly id: number;
  /** Of all brokers of the cluster. */
  readonly ports: readonly BrokerPorts[];
}

/** One Apache Kafka broker on loopback, started by us. It keeps its ports and its data over stops and kills. */
export class KafkaBroker {
  /** As `host:port`. */
  readonly address: string;
  /** Where users come in, if there are any. */
  readonly securedAddress: string;

  private constructor(
    private readonly setup: Setup,
    private process: PartProcess,
  ) {
    const { plain, secured } = portsOf(setup);
    this.address = `127.0.0.1:${plain}`;
    this.securedAddress = `127.0.0.1:${secured}`;
  }

  /** Prepares its own folder in `folder`, starts it and waits until it answers: among others, once most of them run. */
  static async start(
    cluster: ClusterSetup,
    folder: string,
    id: number,
    ports: readonly BrokerPorts[],
  ): Promise<KafkaBroker> {
    const setup: Setup = { ...cluster, id, ports, folder: join(folder, `kafka-${id}`) };
    await mkdir(setup.folder, { recursive: true });
    await writeConfiguration(setup);
    return new KafkaBroker(setup, await run(setup));
  }

  /** Starts it again where it was; nothing happens if it runs. */
  async start(): Promise<void> {
    if (this.process.ended) this.process = await run(this.setup);
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

function portsOf({ id, ports }: Setup): BrokerPorts {
  const own = ports[id - 1];
  if (own === undefined) throw new RangeError(`There is no broker ${id} among ${ports.length}.`);
  return own;
}

/** Writes the configuration and, once, formats the data folder for this cluster. */
async function writeConfiguration(setup: Setup): Promise<void> {
  const { id, ports, secured } = setup;
  const own = portsOf(setup);
  const data = join(setup.folder, 'data');
  const values: Readonly<Record<string, string>> = {
    NODE_ID: String(id),
    VOTERS: ports.map(({ controller }, index) => `${index + 1}@127.0.0.1:${controller}`).join(),
    REPLICAS: String(Math.min(3, ports.length)),
    MIN_ISR: String(ports.length < 3 ? 1 : 2),
    SESSION_MS: String(ports.length === 1 ? SESSION_MS.alone : SESSION_MS.amongOthers),
    PORT: String(own.plain),
    CONTROLLER_PORT: String(own.controller),
    SECURED_PORT: String(own.secured),
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
    logFile: join(setup.folder, 'format.log'),
  });
}

async function run(setup: Setup): Promise<PartProcess> {
  const archiving = existsSync(setup.archive) ? sharing(setup) : [`-XX:ArchiveClassesAtExit=${newArchive(setup)}`];
  const command = javaCommand(setup, archiving, 'kafka.Kafka', [configurationFile(setup)]);
  const { plain } = portsOf(setup);
  return startPart(setup.watchdog, 'Kafka', command, () => isKafkaReady('127.0.0.1', plain, setup.clusterId));
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
