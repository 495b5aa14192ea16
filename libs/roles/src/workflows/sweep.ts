import { SweepHandler } from '@v402/application';
import type { JobParts } from './schedule.js';

const BATCH_SIZE = 100;
const HOUR_MS = 3_600_000;

/** The sweep as a job: what it has restored is counted. */
export function sweep({ config, unitOfWork, wake, alarms, metrics }: JobParts): (signal: AbortSignal) => Promise<void> {
  const policy = {
    batchSize: BATCH_SIZE,
    longestCallMs: config.V402_ORDER_CALL_TIMEOUT_MS + config.V402_LEASE_MS,
    deliveryLead: { days: config.V402_DELIVERY_LEAD_DAYS },
    overdueMs: config.V402_OVERDUE_MS,
    attentionMs: config.V402_ATTENTION_HOURS * HOUR_MS,
  };
  const handler = new SweepHandler(unitOfWork, policy, wake, alarms);
  return async (signal) => {
    const { restored } = await handler.handle(signal);
    for (const [kind, count] of restored) metrics.count('v402_sweep_restored_total', { kind }, count);
  };
}
