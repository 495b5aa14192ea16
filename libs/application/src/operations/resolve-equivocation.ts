import { hasStarted, TerminalError } from '@v402/domain';
import { livesBesideAmendment } from '../intake/lives-beside-amendment.js';
import { OperationRefused } from './operation-refused.js';
import type { Changes, LockedCase, Prepared } from './resolution.js';
import { releaseHold } from './settlement-events.js';
import { storedMessage } from './stored-message.js';

/** The second contract stays refused, and what its hold stopped goes on. */
export function rejectEquivocation({ tx, naming, one, actor }: LockedCase): Prepared {
  const perform = async (): Promise<Changes> => {
    await releaseHold(tx, naming, one, 'reject', actor);
    await tx.cases.resolve(one, 'reject', actor);
    return { refusedContract: one.contractId ?? '' };
  };
  return { letsGoOn: one.hold?.isOpen === true, perform };
}

/**
 * The second contract takes the place of the current one, if nothing of the deal has passed its point of no return. Its
 * stored bytes are verified anew: what intake would not accept, nobody can release.
 */
export async function releaseEquivocation(locked: LockedCase): Promise<Prepared> {
  const { tx, naming, one, actor, settlements } = locked;
  const started = settlements.find(({ facts }) => hasStarted(facts));
  if (started !== undefined) {
    throw new OperationRefused(
      'already_started',
      'An order, a payment or a delivery of this deal was asked for already: only the parties can undo it. Reject instead.',
      { contractId: started.contractId, state: started.state },
    );
  }
  const amended = settlements.find(livesBesideAmendment);
  if (amended !== undefined) {
    throw new OperationRefused(
      'amendment_undecided',
      'An amendment of this deal waits: release or reject it first, so that it is clear which contract the second one would replace.',
      { contractId: amended.contractId, state: amended.state },
    );
  }
  const current = settlements.find((each) => each.current);
  if (current === undefined) throw new TerminalError('current_missing', 'A deal with a contract has a current one.');
  const verified = await locked.intake().verifyAgain(await storedMessage(tx, one, 'quarantined'));
  if ('refusal' in verified) {
    const { code } = verified.refusal;
    throw new OperationRefused('contract_refused', `The contract cannot be accepted: ${code}.`, { code });
  }
  const perform = async (): Promise<Changes> => {
    await locked.intake().acceptInstead(tx, verified, current);
    await releaseHold(tx, naming, one, 'release', actor);
    await tx.cases.resolve(one, 'release', actor);
    return { acceptedContract: one.contractId ?? '', supersededContract: current.contractId };
  };
  return { letsGoOn: true, perform };
}
