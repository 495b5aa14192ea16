import { OperationRefused } from './operation-refused.js';
import type { Changes, LockedCase } from './resolution.js';

/** The relay sends the stream's next event again, the one that Kafka refused first: its order is kept. */
export async function unparkStream({ tx, one }: LockedCase): Promise<Changes> {
  if (!(await tx.cases.unpark(one.id))) {
    throw new OperationRefused('already_resolved', 'This was resolved already.', { resolution: 'redrive' });
  }
  return { unparkedStream: one.contractId ?? '' };
}
