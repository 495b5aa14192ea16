import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaEventProducer, KafkaTopics, readTopic, topicName, topicSpecs, type TopicKey } from '@v402/messaging';
import { generatePasswords, provisionDatabase } from '@v402/persistence';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from './database.js';
import { TRUST_REGISTRY } from './trade.js';
import { until } from './until.js';

type SceneDatabase = Omit<TestDatabase, 'secondOperatorUrl'>;
/** For processes that die: others take over what they held without a long wait. */
export const SHORT_LEASES = { V402_LEASE_MS: '2000', V402_ORDER_CALL_TIMEOUT_MS: '1000' } as const;

type App = 'standalone' | 'intake' | 'orders' | 'workflows' | 'relay';

/** A published event, parsed, with where it stands. */
export interface SeenEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly sequence?: string;
  readonly time: string;
  readonly data: Record<string, unknown>;
  readonly partition: number;
  readonly offset: bigint;
}

export interface SceneOptions {
  readonly partitions?: number;
  /** Parts of the scene's own, which it may stop and start; those of the test run unless told. */
  readonly parts?: { readonly brokers?: readonly string[]; readonly adminUrl?: string };
  /** Whether the topics exist beforehand; yes unless told. */
  readonly topics?: boolean;
  readonly env?: Record<string, string>;
}

/** A database in a PostgreSQL that belongs to the scene alone: it goes with it. */
async function ownDatabase(adminUrl: string): Promise<SceneDatabase> {
  const name = 'v402_scene';
  const urls = await provisionDatabase({ adminUrl, database: name, passwords: generatePasswords() });
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { ...urls, adminUrl: url.href, name, drop: () => Promise.resolve() };
}

const root = join(import.meta.dirname, '../..');
const appOf = (app: App): string => join(root, 'apps', app, 'dist/main.js');

/**
 * The whole system as its users run it: built apps as processes of their own, real Kafka, real PostgreSQL. Tests look at
 * it from outside only: topics in; topics, settlement database and order book out.
 */
export class SettlementScene {
  readonly #processes = new Set<ChildProcess>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'v402-scene-'));
  readonly producer: KafkaEventProducer;
  readonly #client: pg.Pool;

  private constructor(
    readonly database: SceneDatabase,
    readonly brokers: readonly string[],
    readonly prefix: string,
    private readonly extraEnv: Record<string, string>,
  ) {
    this.producer = new KafkaEventProducer({ brokers, clientId: 'scene' }, () => undefined);
    this.#client = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
    this.#client.on('error', () => undefined);
  }

  static async open({
    partitions = 3,
    env = {},
    parts = {},
    topics = true,
  }: SceneOptions = {}): Promise<SettlementScene> {
    const brokers = parts.brokers ?? (process.env['V402_TEST_KAFKA_BROKERS'] ?? '').split(',');
    const prefix = `e2e-${randomUUID().slice(0, 8)}.`;
    const database = parts.adminUrl === undefined ? await createTestDatabase() : await ownDatabase(parts.adminUrl);
    const scene = new SettlementScene(database, brokers, prefix, env);
    if (topics) await scene.createTopics(partitions);
    return scene;
  }

  async createTopics(partitions = 3): Promise<void> {
    const topics = new KafkaTopics({ brokers: this.brokers, clientId: 'scene' }, () => undefined);
    await topics.create(topicSpecs(this.prefix, { partitions, replicationFactor: 1 }));
  }

  /** Starts an app; it is killed when the scene closes. */
  start(app: App, env: Record<string, string> = {}): ChildProcess {
    // Its own standard output: what it wrote is in the file when it has ended.
    const log = openSync(this.logFile(app), 'a');
    const child = spawn(process.execPath, [appOf(app)], {
      env: { PATH: process.env['PATH'], ...this.environment(), ...this.extraEnv, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    return child;
  }

  environment(): Record<string, string> {
    return {
      V402_INSTANCE_ID: 'scene',
      V402_PARTIES: '*',
      V402_TRUST_REGISTRY: TRUST_REGISTRY,
      V402_KAFKA_BROKERS: this.brokers.join(','),
      V402_TOPIC_PREFIX: this.prefix,
      V402_DATABASE_URL: this.database.appUrl,
      V402_ORDERBOOK_DATABASE_URL: this.database.orderbookUrl,
      V402_POLL_MS: '100',
      V402_RECHECK_MS: '300',
      // On a busy machine, too, no lease, no call and no drain ends before its time.
      V402_LEASE_MS: '30000',
      V402_ORDER_CALL_TIMEOUT_MS: '20000',
      V402_DRAIN_MS: '60000',
      V402_LOG_LEVEL: 'info',
    };
  }

  logFile(app: App): string {
    return join(this.#folder, `${app}.log`);
  }

  /** A file beside the logs, removed with the scene. */
  file(name: string, content: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content);
    return path;
  }

  log(app: App = 'standalone'): string {
    return existsSync(this.logFile(app)) ? readFileSync(this.logFile(app), 'utf8') : '';
  }

  async kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await gone)[0];
  }

  /** Sends values to the contracts topic, each under its key. */
  async send(values: readonly (Uint8Array | null)[], key: (index: number) => string = String): Promise<void> {
    const topic = topicName(this.prefix, 'contracts');
    await this.producer.send(
      values.map((value, index) => ({ topic, key: key(index), value: value === null ? null : Buffer.from(value) })),
    );
  }

  /** All events of an output topic at this moment, in the order of their partitions. */
  async events(key: TopicKey): Promise<SeenEvent[]> {
    const records = await readTopic({ brokers: this.brokers, clientId: 'scene' }, topicName(this.prefix, key));
    return records.map(({ value, partition, offset }) => ({
      ...(JSON.parse((value ?? Buffer.alloc(0)).toString('utf8')) as SeenEvent),
      partition,
      offset,
    }));
  }

  async sql<T = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.#client.query(text, [...values])).rows as T[];
  }

  async count(from: string): Promise<number> {
    const [row] = await this.sql<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`);
    return row?.n ?? 0;
  }

  /** Waits until the condition holds; fails with the services' last lines when it does not in time. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    try {
      await until(() => holds().catch(() => false), { everyMs: 50 });
    } catch {
      throw new Error(`Waited in vain: ${what}\n${this.#tail()}`);
    }
  }

  /** Waits until the log says it: what the database shows may be there a moment before the line that tells of it. */
  async untilSaid(what: string | RegExp, app?: App): Promise<void> {
    await this.until(`it says ${String(what)}`, () => Promise.resolve(this.log(app).search(what) !== -1));
  }

  /** Nothing is due, nothing waits to be published, and of every order that was asked for the outcome is known. */
  async settled(): Promise<void> {
    const idle = `SELECT (SELECT count(*) FROM v402.outbox) + (SELECT count(*) FROM v402.work WHERE due_at <= now())
      + (SELECT count(*) FROM v402.order_placement WHERE state IN ('placing', 'unknown')) AS n`;
    await this.until('idle', async () => Number((await this.sql<{ n: string }>(idle))[0]?.n) === 0);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((child) => this.kill(child)));
    await this.producer.close();
    await this.#client.end();
    await this.database.drop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tail(): string {
    const apps: App[] = ['standalone', 'intake', 'orders', 'workflows', 'relay'];
    return apps.map((app) => `${app}:\n${this.log(app).slice(-3000)}`).join('\n');
  }
}
