import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TopicKey } from '@v402/events';
import type { LocalParts } from '@v402/local-parts';
import {
  KafkaEventProducer,
  KafkaTopics,
  readTopic,
  topicName,
  topicSpecs,
  type KafkaConnection,
  type OutgoingRecord,
} from '@v402/messaging';
import { provisionDatabase, type DatabasePasswords, type DatabaseUrls } from '@v402/persistence';
import {
  readSeenEvent,
  type SeenEvent,
  type SeenTrade,
  type SimulatedMessage,
  type SimulatedTrade,
} from '@v402/simulators';
import { AppProcess, type App } from './app-process.js';
import { dropDatabase, readCounts, readOrders } from './books.js';

export interface LocalSystemOptions {
  readonly parts: LocalParts;
  /** What the handler has to know and how it is to behave. */
  readonly trade: Pick<SimulatedTrade, 'handling' | 'trustRegistry' | 'paymentAccounts'>;
  /** Gets the configuration files and the log. */
  readonly folder: string;
  /** Of each topic. */
  readonly partitions: number;
}

/** An event on its topic, with when it was written there. */
export interface PublishedEvent extends SeenEvent {
  /** Milliseconds since the epoch, by the relay that wrote it. */
  readonly timestampMs: number;
}

/** The names of the output topics, as the event catalogue and as the broker's configuration have them. */
const OUTPUTS = [
  ['settlement', 'events'],
  ['payments', 'payments'],
  ['deliveries', 'deliveries'],
  ['rejections', 'rejections'],
] as const satisfies readonly (readonly [TopicKey, string])[];
const SILENT = (): undefined => undefined;
/** Of a process that nobody kills: on a busy machine, too, no call and no lease ends before its time. */
const PATIENT = { V402_LEASE_MS: '30000', V402_ORDER_CALL_TIMEOUT_MS: '20000' };

/**
 * A whole installation on local parts: a database, topics and files of its own, and the standalone app. It looks at the app
 * from outside only: topics in; topics, database and order book out.
 */
export class LocalSystem {
  readonly #producer: KafkaEventProducer;
  readonly #topics: KafkaTopics;

  private constructor(
    readonly connection: KafkaConnection,
    /** Put before the names of its topics. */
    readonly prefix: string,
    readonly urls: DatabaseUrls,
    private readonly adminUrl: string,
    private readonly database: string,
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {
    this.#producer = new KafkaEventProducer(connection, SILENT);
    this.#topics = new KafkaTopics(connection, SILENT);
  }

  static async prepare({ parts, trade, folder, partitions }: LocalSystemOptions): Promise<LocalSystem> {
    const name = `local-${randomBytes(4).toString('hex')}`;
    const { adminUrl } = parts.postgres;
    const connection = { brokers: parts.kafka.brokers, clientId: name };
    const database = `v402_${name.replace('-', '_')}`;
    const [urls, env] = await Promise.all([
      provisionDatabase({ adminUrl, database, passwords: passwordsFor(adminUrl) }),
      writeFiles(folder, trade),
      new KafkaTopics(connection, SILENT).create(topicSpecs(`${name}.`, { partitions, replicationFactor: 1 })),
    ]);
    const addresses = {
      V402_INSTANCE_ID: name,
      V402_KAFKA_BROKERS: parts.kafka.brokers.join(','),
      V402_TOPIC_PREFIX: `${name}.`,
      V402_DATABASE_URL: urls.appUrl,
      V402_ORDERBOOK_DATABASE_URL: urls.orderbookUrl,
    };
    return new LocalSystem(connection, `${name}.`, urls, adminUrl, database, folder, { ...addresses, ...env });
  }

  /** What the services have to be configured with. */
  get environment(): Readonly<Record<string, string>> {
    return this.env;
  }

  /** Its database, as a user who may do everything there. */
  get adminDatabaseUrl(): string {
    const url = new URL(this.adminUrl);
    url.pathname = `/${this.database}`;
    return url.href;
  }

  get logFile(): string {
    return join(this.folder, 'standalone.log');
  }

  /** The topics that the app publishes to. */
  get outputTopics(): readonly string[] {
    return OUTPUTS.map(([, key]) => topicName(this.prefix, key));
  }

  startStandalone({ outlive }: { readonly outlive: boolean }): AppProcess {
    const env = { ...this.env, ...PATIENT };
    return AppProcess.start({ app: 'standalone', env, logFile: this.logFile, outlive });
  }

  /** Starts one of several processes, under a name that its successor has, too. It ends with this program. */
  startApp(app: App, name: string, env: Readonly<Record<string, string>> = {}): AppProcess {
    const logFile = join(this.folder, `${name}.log`);
    return AppProcess.start({ app, env: { ...this.env, ...env, V402_PROCESS_NAME: name }, logFile, outlive: false });
  }

  /** Sends messages to the contracts topic; resolves when Kafka has them all. */
  async send(messages: readonly Pick<SimulatedMessage, 'key' | 'value'>[]): Promise<void> {
    const topic = topicName(this.prefix, 'contracts');
    await this.#producer.send(
      messages.map(({ key, value }): OutgoingRecord => ({
        topic,
        key,
        value: value === null ? null : Buffer.from(value),
      })),
    );
  }

  /** How many events each output topic holds at this moment. */
  async eventCounts(): Promise<Readonly<Record<TopicKey, number>>> {
    const counts = await this.#topics.recordCounts(this.outputTopics);
    const countOf = (key: (typeof OUTPUTS)[number][1]): number => counts.get(topicName(this.prefix, key)) ?? 0;
    return Object.fromEntries(OUTPUTS.map(([name, key]) => [name, countOf(key)])) as Record<TopicKey, number>;
  }

  /** All events that are published at this moment. */
  async readEvents(): Promise<readonly PublishedEvent[]> {
    const read = async (topic: string): Promise<readonly PublishedEvent[]> =>
      (await readTopic(this.connection, topic)).map(({ value, timestampMs }) => ({
        ...readSeenEvent(topic, value ?? new Uint8Array()),
        timestampMs,
      }));
    return (await Promise.all(this.outputTopics.map(read))).flat();
  }

  /** What the app has recorded and ordered, by the database and the order book. */
  async readBooks(): Promise<Omit<SeenTrade, 'events'>> {
    return { orders: await readOrders(this.urls), ...(await readCounts(this.urls)) };
  }

  async close(): Promise<void> {
    await this.#producer.close();
  }

  /** Removes its database and topics; the app must have ended. */
  async remove(): Promise<void> {
    await this.close();
    await Promise.all([
      dropDatabase(this.adminUrl, this.database),
      this.#topics.remove([topicName(this.prefix, 'contracts'), ...this.outputTopics]),
    ]);
  }
}

/** Roles belong to the whole cluster: another local system on it has to use the same passwords. */
function passwordsFor(adminUrl: string): DatabasePasswords {
  const password = (role: string): string =>
    createHash('sha256')
      .update(JSON.stringify(['v402 local system', role, adminUrl]))
      .digest('base64url');
  return {
    owner: password('owner'),
    app: password('app'),
    operator: password('operator'),
    orderbook: password('orderbook'),
  };
}

async function writeFiles(
  folder: string,
  { handling, trustRegistry, paymentAccounts }: LocalSystemOptions['trade'],
): Promise<Readonly<Record<string, string>>> {
  const registryFile = join(folder, 'trust-registry.json');
  const accountsFile = join(folder, 'payment-accounts.json');
  await writeFile(registryFile, trustRegistry);
  await writeFile(accountsFile, paymentAccounts);
  const leadDays = Object.entries(handling.paymentLeadDays).map(([rail, days]) => `${rail}=${days}`);
  return {
    V402_HANDLER_ID: handling.handlerId,
    V402_PARTIES: handling.parties.join(','),
    V402_TRUST_REGISTRY: registryFile,
    V402_PAYMENT_ACCOUNTS: accountsFile,
    V402_PAYMENT_LEAD_DAYS: leadDays.join(','),
    V402_DELIVERY_LEAD_DAYS: String(handling.deliveryLeadDays),
  };
}
