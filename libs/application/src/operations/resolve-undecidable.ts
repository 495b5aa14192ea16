import { readEnvelope } from '@v402/contract';
import { RetryableError } from '@v402/domain';
import type { IntakeCounts } from '../intake/accept-contracts.handler.js';
import type { CaseResolution } from '../ports/case-store.js';
import { OperationRefused } from './operation-refused.js';
import type { Changes, LockedCase, Prepared } from './resolution.js';
import { storedMessage } from './stored-message.js';

/** Decides the stored bytes as intake does, as of their arrival. What it comes to is a decision like any other. */
export async function decideAgain(locked: LockedCase, resolution: CaseResolution): Promise<Prepared> {
  const { tx, one, actor } = locked;
  const message = await storedMessage(tx, one, 'undecidable');
  return async () => {
    const intake = locked.intake();
    let counts: IntakeCounts;
    try {
      counts = await intake.decideAgain(tx, message);
    } catch (cause) {
      if (cause instanceof RetryableError) throw cause;
      const text = 'The message cannot be decided yet; nothing was changed.';
      throw new OperationRefused('still_undecidable', text, {}, { cause });
    }
    await tx.cases.resolve(one, resolution, actor);
    return { decision: outcomeOf(counts) };
  };
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
