import type { Transaction } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';
import { contractIdsOf, readCases } from './order-case.js';
import { OrderRecording, type OutcomeContext, type Recorded } from './order-recording.js';
import type { OrderOutcome } from './outcome.js';
import { OutcomeWrites } from './outcome-writes.js';

/** What became of a claimed order. */
export interface KnownOutcome {
  readonly claim: Claim;
  readonly outcome: OrderOutcome;
  /** Whether the claim was an attempt; a look at whether the order system is back is none. */
  readonly isAttempt: boolean;
}

/**
 * T3: records what became of orders. Writes nothing for a claim that is no longer ours: whoever has it now finds the
 * truth by a look-up.
 *
 * @returns what was done, by the ids of the claims that are still ours
 */
export async function recordOutcomes(
  tx: Transaction,
  context: OutcomeContext,
  known: readonly KnownOutcome[],
): Promise<ReadonlyMap<bigint, Recorded>> {
  const claims = known.map(({ claim }) => claim);
  const settlements = await tx.settlements.lock(contractIdsOf(claims));
  const ours = await tx.work.confirm(claims, context.timing.leaseMs);
  const cases = await readCases(tx, ours, settlements);
  const byId = new Map(known.map((each) => [each.claim.id, each]));
  const writes = new OutcomeWrites(context.naming, await tx.now());
  const recorded = new Map<bigint, Recorded>();
  for (const order of cases) {
    const what = byId.get(order.claim.id);
    if (what !== undefined) recorded.set(order.claim.id, new OrderRecording(context, order, writes).record(what));
  }
  await writes.write(tx, contractIdsOf(ours));
  return recorded;
}
