import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { JVM_OPTIONS, KafkaBroker, type BrokerPorts, type ClusterSetup } from './kafka-broker.js';
import { archiveName, cacheFolder, classPath, definedOnly, kafkaHome } from './kafka-home.js';
import { onFreePorts } from './ports.js';
import { makeKeyStore, type KafkaUsers, type SecuredAddress } from './secured-listener.js';
import { findJava } from './toolchain.js';
import type { Watchdog } from './watchdog.js';

const PORTS_EACH = 3;

/** How the Kafka is to be that is started. */
export interface KafkaWishes {
  readonly brokerCount: number;
  /** Whom a second listener with TLS, SCRAM-SHA-512 and ACLs is for; none without them. */
  readonly users: KafkaUsers | undefined;
}

/** Apache Kafka on loopback, started by us: one broker, or several that keep each other's records. */
export class KafkaCluster {
  private constructor(
    readonly nodes: readonly KafkaBroker[],
    private readonly certificateFile: string | undefined,
  ) {}

  /** Fetches it if need be, prepares its folders in `folder`, starts it and waits until it answers. */
  static async start(
    watchdog: Watchdog,
    folder: string,
    env: NodeJS.ProcessEnv,
    wishes: KafkaWishes,
    onProgress: (line: string) => void,
  ): Promise<KafkaCluster> {
    const java = await findJava(env);
    const home = await kafkaHome(watchdog, folder, env, onProgress);
    onProgress('Kafka: starting …');
    const began = performance.now();
    const jars = await classPath(home);
    const childEnv = definedOnly(env);
    const { users, brokerCount } = wishes;
    const keyStore = users && (await makeKeyStore(watchdog, java.command, { cwd: folder, env: childEnv }));
    const setup: ClusterSetup = {
      watchdog,
      java: java.command,
      classPath: jars.join(':'),
      archive: join(cacheFolder(env), await archiveName(java.version, JVM_OPTIONS, jars)),
      // 22 characters; a leading sign would be read as an option.
      clusterId: randomBytes(16).toString('base64url').replace(/^[-_]/, 'A'),
      env: childEnv,
      secured: users && keyStore && { users, keyStore },
    };
    const nodes = await onFreePorts(PORTS_EACH * brokerCount, (ports) => startAll(setup, folder, portsOfEach(ports)));
    const cluster = new KafkaCluster(nodes, keyStore?.certificateFile);
    onProgress(`Kafka: ready on ${cluster.brokers.join()} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    return cluster;
  }

  /** As `host:port`. */
  get brokers(): string[] {
    return this.nodes.map(({ address }) => address);
  }

  /** The listener of the users, where there are any. */
  get secured(): SecuredAddress | undefined {
    const { certificateFile } = this;
    return certificateFile === undefined
      ? undefined
      : { brokers: this.nodes.map(({ securedAddress }) => securedAddress), certificateFile };
  }

  /** Starts again what does not run, where it was. */
  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  /** Stops it in good order. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  /** Ends it without any warning, as a crash does. */
  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }
}

/** All at once: none of several is ready before most of them are there. What has started ends when one fails. */
async function startAll(
  setup: ClusterSetup,
  folder: string,
  ports: readonly BrokerPorts[],
): Promise<readonly KafkaBroker[]> {
  const starts = await Promise.allSettled(ports.map((_, index) => KafkaBroker.start(setup, folder, index + 1, ports)));
  const failed = starts.find((start) => start.status === 'rejected');
  const nodes = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  if (failed === undefined) return nodes;
  await Promise.all(nodes.map((node) => node.kill()));
  throw failed.reason;
}

function portsOfEach(ports: readonly number[]): BrokerPorts[] {
  return Array.from({ length: ports.length / PORTS_EACH }, (_, index) => {
    const [plain = 0, controller = 0, secured = 0] = ports.slice(index * PORTS_EACH);
    return { plain, controller, secured };
  });
}
