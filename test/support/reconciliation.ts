import type { ChildProcess } from 'node:child_process';
import { ReconcileHandler, type OrderSystem, type ReconciliationReport, type Window } from '@v402/application';
import { KafkaTopicLog, topicName } from '@v402/messaging';
import { EmbeddedOrderSystem } from '@v402/order-systems';
import { PgReconciliationBooks } from '@v402/persistence';
import { SettlementScene } from './settlement-scene.js';
import { trade } from './trade.js';

export interface ReconciliationParts {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly system: OrderSystem;
}

/** A reconciliation of everything up to now, by the production handler. */
export async function reconcile(
  { databaseUrl, brokers, prefix, system }: ReconciliationParts,
  window?: Window,
): Promise<ReconciliationReport> {
  const books = new PgReconciliationBooks({ url: databaseUrl, applicationName: 'reconcile test' });
  const log = new KafkaTopicLog({ brokers, clientId: 'reconcile test' }, () => undefined);
  const policy = {
    inputTopic: topicName(prefix, 'contracts'),
    outputTopics: (['events', 'payments', 'deliveries', 'rejections'] as const).map((key) => topicName(prefix, key)),
    graceMs: 0,
  };
  try {
    return await new ReconcileHandler(books, log, system, policy).handle(window ?? { from: 0n, to: await books.now() });
  } finally {
    await books.close();
  }
}

/** The standalone app with its order book, and reconciliations of what it does. */
export class ReconciliationScene {
  private constructor(
    readonly scene: SettlementScene,
    readonly book: EmbeddedOrderSystem,
    private readonly app: ChildProcess,
  ) {}

  static async open(): Promise<ReconciliationScene> {
    const scene = await SettlementScene.open();
    const book = new EmbeddedOrderSystem({ url: scene.database.orderbookUrl });
    // A sweep would put back what a test takes away.
    const app = scene.start('standalone', { V402_SWEEP_MS: '86400000' });
    return new ReconciliationScene(scene, book, app);
  }

  /** Five contracts come, one of them twice, and a message that is none; all that follows from them is done. */
  async settle(): Promise<void> {
    const { scene } = this;
    const trades = Array.from({ length: 5 }, (_, n) => trade({ negotiationId: `reconcile-${n}` }));
    const again = trades[0]!.envelope;
    await scene.send([...trades.map(({ envelope }) => envelope), again, Buffer.from('no json')]);
    await scene.until('all decided', async () => (await scene.count('v402.settlement')) === 5);
    await scene.until('refused', async () => (await scene.count('v402.rejection')) === 1);
    await scene.until('ordered', async () => (await scene.count('orderbook.order_head')) === 10);
    await scene.settled();
  }

  readonly run = (window?: Window): Promise<ReconciliationReport> => {
    const { database, brokers, prefix } = this.scene;
    return reconcile({ databaseUrl: database.appUrl, brokers, prefix, system: this.book }, window);
  };

  /** Ends the app: from here on nobody does anything. */
  async stopApp(): Promise<void> {
    await this.scene.kill(this.app);
  }

  async close(): Promise<void> {
    await this.book.close();
    await this.scene.close();
  }
}
