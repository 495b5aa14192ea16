import { ReconcileHandler, ScheduledReconciliationHandler, type Job } from '@v402/application';
import { KafkaTopicLog } from '@v402/messaging';
import { PgReconciliationBooks } from '@v402/persistence';
import { kafkaConnection } from '../core/kafka.js';
import { openOrderSystem } from '../orders/order-system.provider.js';
import { reconcilePolicy } from './reconcile-policy.js';
import type { JobParts } from './schedule.js';

const MINUTE_MS = 60_000;
/** Longer than what is usual for an event or an order to be on its way. */
const GRACE_MS = 5 * MINUTE_MS;
const MAX_HOURS = 31 * 24;
/** One run may find a part away, and the next one, too. */
const UNPROVEN_PERIODS = 3;
const KEEP_DAYS = 90;

/** Opens what it compares for the time of a run: between two runs it holds no connection. */
export function reconciliationJob({ config, unitOfWork, alarms }: JobParts): readonly Job[] {
  const { V402_RECONCILE_EVERY_MINUTES: everyMinutes, V402_RECONCILE_HOURS: hours, V402_INSTANCE_ID } = config;
  if (everyMinutes === 0) return [];
  const periodMs = everyMinutes * MINUTE_MS;
  const run = async (signal: AbortSignal): Promise<void> => {
    const books = new PgReconciliationBooks({
      url: config.V402_DATABASE_URL,
      applicationName: `v402 ${V402_INSTANCE_ID} reconciliation`,
    });
    const life = openOrderSystem(config);
    try {
      const log = new KafkaTopicLog(kafkaConnection(config), () => undefined);
      const policy = reconcilePolicy(config, GRACE_MS);
      const reconciliation = new ReconcileHandler(books, log, life.system, policy);
      const lookBack = {
        hours,
        maxHours: Math.max(hours, MAX_HOURS),
        keepDays: KEEP_DAYS,
        unprovenMs: UNPROVEN_PERIODS * periodMs,
      };
      await new ScheduledReconciliationHandler(books, reconciliation, unitOfWork, alarms, lookBack).handle(signal);
    } finally {
      await life.onApplicationShutdown();
      await books.close();
    }
  };
  return [{ name: 'reconciliation', periodMs, run }];
}
