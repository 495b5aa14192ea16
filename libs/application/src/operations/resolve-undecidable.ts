import { readEnvelope } from '@v402/contract';
import { RetryableError } from '@v402/domain';
import type { IntakeCounts } from '../intake/accept-contracts.handler.js';
import { dealOf } from '../intake/inbound-message.js';
import type { CaseResolution, OperatorCase } from '../ports/case-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import { OperationRefused } from './operation-refused.js';
import { lockDeal, type Changes, type LockedCase, type Prepared } from './resolution.js';
import { storedMessage } from './stored-message.js';

/**
 * Intake decides under the deal's lock, so what it may decide at this moment waits for us, and sees what we did.
 * @throws OperationRefused `still_undecidable` where the deal cannot even be written down
 */
export async function lockDealOfBytes(tx: Transaction, { rawDigest }: OperatorCase): Promise<void> {
  const raw = rawDigest === undefined ? undefined : await tx.cases.raw(rawDigest);
  const read = raw === undefined ? undefined : readEnvelope(raw.bytes);
  if (read?.ok !== true) return;
  const deal = dealOf(read.identified.envelope.contract);
  await orStillUndecidable(() => tx.deals.insertMissing([deal]));
  await lockDeal(tx, deal.key);
}

/** Decides the stored bytes as intake does, as of their arrival. What it comes to is a decision like any other. */
export async function decideAgain(locked: LockedCase, resolution: CaseResolution): Promise<Prepared> {
  const { tx, one, actor } = locked;
  const message = await storedMessage(tx, one, 'undecidable');
  const perform = async (): Promise<Changes> => {
    const counts = await orStillUndecidable(() => locked.intake().decideAgain(tx, message));
    await tx.cases.resolve(one, resolution, actor);
    return { decision: outcomeOf(counts) };
  };
  return { letsGoOn: true, perform };
}

/** What made intake park the message may be there still: then the answer is no, and not a failure. */
async function orStillUndecidable<T>(decide: () => Promise<T>): Promise<T> {
  try {
    return await decide();
  } catch (cause) {
    if (cause instanceof RetryableError) throw cause;
    const message = 'The message cannot be decided yet; nothing was changed.';
    throw new OperationRefused('still_undecidable', message, {}, { cause });
  }
}

/** The message is closed: the same bytes, however often they come, are counted and not decided. */
export async function closeUndecidable({ tx, one, actor }: LockedCase): Promise<Changes> {
  const raw = one.rawDigest === undefined ? undefined : await tx.cases.raw(one.rawDigest);
  const read = raw === undefined ? undefined : readEnvelope(raw.bytes);
  if (read?.ok === true && (await tx.settlements.accepted([read.identified.contractId])).size > 0) {
    const message = 'Its contract was accepted meanwhile, from another message: redrive closes it as a duplicate.';
    throw new OperationRefused('already_decided', message, { contractId: read.identified.contractId });
  }
  await tx.cases.resolve(one, 'reject', actor);
  return { closedMessage: one.rawDigest ?? '' };
}

const OUTCOMES = ['accepted', 'duplicates', 'rejected', 'quarantined'] as const;

const outcomeOf = (counts: IntakeCounts): string => OUTCOMES.find((outcome) => counts[outcome] > 0) ?? 'none';
