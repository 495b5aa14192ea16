import type { Transaction } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';
import { contractIdsOf, readCases } from './order-case.js';
import { OrderRecording, type OutcomeContext } from './order-recording.js';
import type { OrderOutcome } from './outcome.js';
import { OutcomeWrites } from './outcome-writes.js';

/** What became of a claimed order. */
export interface KnownOutcome {
  readonly claim: Claim;
  readonly outcome: OrderOutcome;
}

/**
 * T3: records what became of orders. Writes nothing for a claim that is no longer ours: whoever has it now finds the
 * truth by a look-up.
 *
 * @returns the ids of the claims whose outcome was recorded
 */
export async function recordOutcomes(
  tx: Transaction,
  context: OutcomeContext,
  known: readonly KnownOutcome[],
): Promise<ReadonlySet<bigint>> {
  const claims = known.map(({ claim }) => claim);
  const settlements = await tx.settlements.lock(contractIdsOf(claims));
  const ours = await tx.work.confirm(claims, context.timing.leaseMs);
  const cases = await readCases(tx, ours, settlements);
  const outcomes = new Map(known.map(({ claim, outcome }) => [claim.id, outcome]));
  const writes = new OutcomeWrites(context.naming, await tx.now());
  for (const order of cases) {
    const outcome = outcomes.get(order.claim.id);
    if (outcome !== undefined) new OrderRecording(context, order, writes).record(outcome);
  }
  await writes.write(tx, contractIdsOf(ours));
  return new Set(ours.map(({ id }) => id));
}
