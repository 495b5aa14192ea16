import { ReconcileHandler, type OrderSystem, type ReconciliationReport } from '@v402/application';
import { KafkaTopicLog, topicName } from '@v402/messaging';
import { PgReconciliationBooks } from '@v402/persistence';

export interface ReconciliationParts {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly system: OrderSystem;
  readonly graceMs?: number;
}

/** A reconciliation of everything up to now, by the production handler. */
export async function reconcile(
  { databaseUrl, brokers, prefix, system, graceMs = 0 }: ReconciliationParts,
  window?: { readonly from: bigint; readonly to: bigint },
): Promise<ReconciliationReport> {
  const books = new PgReconciliationBooks({ url: databaseUrl, applicationName: 'reconcile test' });
  const log = new KafkaTopicLog({ brokers, clientId: 'reconcile test' }, () => undefined);
  const policy = {
    inputTopic: topicName(prefix, 'contracts'),
    outputTopics: (['events', 'payments', 'deliveries', 'rejections'] as const).map((key) => topicName(prefix, key)),
    graceMs,
  };
  try {
    return await new ReconcileHandler(books, log, system, policy).handle(window ?? { from: 0n, to: await books.now() });
  } finally {
    await books.close();
  }
}
