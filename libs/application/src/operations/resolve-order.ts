import { orderPlacementTable, TerminalError, transition } from '@v402/domain';
import type { CaseReason } from '../ports/case-store.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import { OperationRefused } from './operation-refused.js';
import type { Changes, LockedCase, Prepared } from './resolution.js';
import { releaseHold } from './settlement-events.js';

/**
 * Brings an order that came to an end back to a state from which it can go on safely: one that was refused, of which
 * nothing was written, or that was tried too often, is tried from the beginning; one that may exist is looked up first, and never created blindly.
 */
export async function redriveOrder({ tx, naming, one, actor, settlements }: LockedCase): Promise<Prepared> {
  const placement = await placementOf({ tx, one });
  const { contractId, side } = placement;
  const isCurrent = settlements.some((each) => each.contractId === contractId && each.current);
  const next = afterRedrive(placement, one.reason, isCurrent);
  const perform = async (): Promise<Changes> => {
    await tx.orders.redrive([next]);
    await tx.work.add([{ kind: 'order', contractId, side, subjectId: '', dueAt: undefined }]);
    await tx.settlements.deriveStates([contractId]);
    await releaseHold(tx, naming, one, 'redrive', actor);
    await tx.cases.resolve(one, 'redrive', actor);
    return { side, from: placement.state, to: next.state };
  };
  return { letsGoOn: true, perform };
}

function afterRedrive(placement: OrderPlacement, reason: CaseReason, isCurrent: boolean): OrderPlacement {
  const redrives = placement.redrives + 1;
  switch (placement.state) {
    case 'rejected':
      if (!isCurrent) throw notCurrent();
      return { ...placement, redrives, state: transition(orderPlacementTable, placement.state, 'retry') };
    case 'unresolved':
    case 'mismatched':
      return {
        ...placement,
        redrives,
        lookUpNotBefore: undefined,
        state: transition(orderPlacementTable, placement.state, 'look_again'),
      };
    case 'waiting':
      if (reason !== 'order_retries_exhausted') throw notStuck(placement);
      if (!isCurrent) throw notCurrent();
      return { ...placement, redrives };
    case 'placing':
    case 'created':
    case 'unknown':
    case 'superseded':
      throw notStuck(placement);
  }
}

const notCurrent = (): OperationRefused =>
  new OperationRefused('not_current', 'An amendment has taken this contract’s place: decide the amendment first.');

const notStuck = ({ state }: OrderPlacement): OperationRefused =>
  new OperationRefused('order_not_stuck', `The order is ${state}: there is nothing to do again.`, { state });

/**
 * Nobody pursues the order any more. Its hold stays, so nothing that has not started ever starts; unless another
 * contract has taken this one's place, for then the hold stops what it was not meant for.
 */
export async function rejectOrder({ tx, naming, one, actor }: LockedCase): Promise<Prepared> {
  const { side, state } = await placementOf({ tx, one });
  const isReplaced = state === 'superseded';
  const perform = async (): Promise<Changes> => {
    if (isReplaced) await releaseHold(tx, naming, one, 'reject', actor);
    await tx.cases.resolve(one, 'reject', actor);
    return { side, order: state, hold: isReplaced ? 'released' : 'stays' };
  };
  return { letsGoOn: isReplaced, perform };
}

async function placementOf({ tx, one }: Pick<LockedCase, 'tx' | 'one'>): Promise<OrderPlacement> {
  const rows = one.contractId === undefined ? [] : await tx.orders.ofSettlements([one.contractId]);
  const placement = rows.find(({ side }) => side === one.side);
  if (placement === undefined) throw new TerminalError('order_missing', 'A case about an order names one that exists.');
  return placement;
}
