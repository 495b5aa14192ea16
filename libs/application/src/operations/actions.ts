import { OperationRefused } from './operation-refused.js';
import { rejectAmendment, releaseAmendment } from './resolve-amendment.js';
import { rejectEquivocation, releaseEquivocation } from './resolve-equivocation.js';
import { redriveOrder, rejectOrder } from './resolve-order.js';
import { closeUndecidable, decideAgain } from './resolve-undecidable.js';
import type { LockedCase, Prepared } from './resolution.js';
import { unparkStream } from './unpark-stream.js';

/** What a release does, by what the case is about. @throws OperationRefused where it cannot be done */
export function releaseAction(locked: LockedCase, orderChanged: boolean): Promise<Prepared> {
  switch (locked.one.reason) {
    case 'equivocation':
      return releaseEquivocation(locked);
    case 'undecidable_message':
      return decideAgain(locked, 'release');
    case 'amendment_after_start':
      return releaseAmendment(locked, orderChanged);
    case 'order_rejected':
    case 'order_mismatch':
    case 'order_unresolved':
    case 'order_retries_exhausted':
    case 'stream_parked':
      throw new OperationRefused(
        'use_redrive',
        'Nothing here can be let through: correct its cause, then v402 redrive.',
      );
  }
}

/** What a rejection does, by what the case is about. @throws OperationRefused where it cannot be done */
export function rejectAction(locked: LockedCase): Promise<Prepared> | Prepared {
  switch (locked.one.reason) {
    case 'equivocation':
      return rejectEquivocation(locked);
    case 'undecidable_message':
      return { letsGoOn: false, perform: () => closeUndecidable(locked) };
    case 'amendment_after_start':
      return rejectAmendment(locked);
    case 'order_rejected':
    case 'order_mismatch':
    case 'order_unresolved':
    case 'order_retries_exhausted':
      return rejectOrder(locked);
    case 'stream_parked':
      throw new OperationRefused('cannot_reject', 'An event tells of a fact: it can be sent again, never dropped.');
  }
}

/** The one safe next step, by what the case is about. @throws OperationRefused where there is none */
export function redriveAction(locked: LockedCase): Promise<Prepared> | Prepared {
  switch (locked.one.reason) {
    case 'equivocation':
    case 'amendment_after_start':
      throw new OperationRefused('decision_needed', 'Only a decision helps: v402 quarantine release, or reject.');
    case 'undecidable_message':
      return decideAgain(locked, 'redrive');
    case 'order_rejected':
    case 'order_mismatch':
    case 'order_unresolved':
    case 'order_retries_exhausted':
      return redriveOrder(locked);
    case 'stream_parked':
      return { letsGoOn: false, perform: () => unparkStream(locked) };
  }
}
