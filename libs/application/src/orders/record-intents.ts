import { orderPlacementTable, transition } from '@v402/domain';
import type { Transaction } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';
import { contractIdsOf, readCases, type OrderCase } from './order-case.js';
import type { OutcomeContext } from './order-recording.js';
import { lookUpNotBefore } from './timing.js';

/**
 * T2, the point of no return of orders: records that the order system is about to be asked, for the claims that are
 * still ours and whose deal has no open hold. From the commit on, the order may exist. The intent says from when on a
 * look-up tells what became of it, so that whoever inherits it waits until then and no longer.
 *
 * @returns the cases to call the order system for
 */
export async function recordIntents(
  tx: Transaction,
  claims: readonly Claim[],
  { timing, orderSystem }: OutcomeContext,
): Promise<readonly OrderCase[]> {
  const ids = contractIdsOf(claims);
  const settlements = await tx.settlements.lock(ids);
  const ours = await tx.work.confirm(claims, timing.leaseMs);
  const cases = await readCases(tx, ours, settlements);
  const held = await tx.deals.held(settlements.map(({ dealKey }) => dealKey));
  const mayStart = ({ settlement }: OrderCase): boolean => settlement.current && !held.has(settlement.dealKey);
  const now = await tx.now();
  const intended = cases.filter(mayStart).map((each): OrderCase => {
    const { placement } = each;
    const state = transition(orderPlacementTable, placement.state, 'intend');
    const attempt = placement.attempt + 1;
    const intent = { state, attempt, lookUpNotBefore: lookUpNotBefore(now, timing, orderSystem) };
    return { ...each, placement: { ...placement, ...intent } };
  });
  await tx.orders.save(intended.map(({ placement }) => placement));
  await tx.settlements.deriveStates(contractIdsOf(intended.map(({ claim }) => claim)));
  const recheckAt = now + BigInt(timing.holdRecheckMs) * 1000n;
  await tx.work.postpone(
    cases.filter((each) => !mayStart(each)).map(({ claim }) => ({ claim, dueAt: recheckAt, progressed: true })),
  );
  return intended;
}
