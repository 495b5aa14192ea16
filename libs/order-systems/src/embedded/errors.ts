import type { CancelOutcome, CreateOutcome } from '@v402/application';
import { RetryableError } from '@v402/domain';
import pg from 'pg';
import { TransactionFailure } from './transaction.js';

type Failed = Extract<CreateOutcome, { outcome: 'rejected' | 'retryable' | 'unknown' }>;

/** Classes of SQLSTATE that say: the data does not fit, and never will. */
const DATA_CLASSES: readonly string[] = ['22', '23', '54'];
/** Classes that a wrong URL, password, grant or missing migration shows in; somebody has to mend the installation. */
const INSTALLATION_CLASSES: readonly string[] = ['28', '3D', '42'];
const QUERY_CANCELED = '57014';

const sqlStateOf = (cause: unknown): string => (cause instanceof pg.DatabaseError ? (cause.code ?? '') : '');

/** The only place that decides what a failed call may have done. */
const outcomeOf = (failure: unknown): Failed => {
  if (!(failure instanceof TransactionFailure) || failure.progress === 'committing') {
    return { outcome: 'unknown', code: 'commit_unconfirmed' };
  }
  const { cause, progress, aborted } = failure;
  const sqlState = sqlStateOf(cause);
  const sqlClass = sqlState.slice(0, 2);
  if (progress === 'writing' && DATA_CLASSES.includes(sqlClass)) {
    const constraint = cause instanceof pg.DatabaseError ? cause.constraint : undefined;
    const detail = constraint === undefined ? '' : `, constraint ${constraint}`;
    return { outcome: 'rejected', code: 'data_refused', message: `SQLSTATE ${sqlState}${detail}` };
  }
  if (INSTALLATION_CLASSES.includes(sqlClass)) return { outcome: 'retryable', code: 'order_book_misconfigured' };
  if (sqlState === QUERY_CANCELED) return { outcome: 'retryable', code: 'order_book_busy' };
  if (aborted) return { outcome: 'retryable', code: 'aborted_before_commit' };
  return { outcome: 'retryable', code: progress === 'connecting' ? 'order_book_unreachable' : 'order_book_lost' };
};

export const createOutcomeOf = (failure: unknown): CreateOutcome => outcomeOf(failure);

export const cancelOutcomeOf = (failure: unknown): CancelOutcome => {
  const outcome = outcomeOf(failure);
  switch (outcome.outcome) {
    case 'rejected':
      return { outcome: 'refused', code: outcome.code };
    case 'retryable':
    case 'unknown':
      return outcome;
  }
};

/** A question that could not be put, or was not answered; it can be asked again. */
export const questionFailed = (cause: unknown): RetryableError =>
  INSTALLATION_CLASSES.includes(sqlStateOf(cause).slice(0, 2))
    ? new RetryableError('order_book_misconfigured', 'The order book refuses what it is asked.', {}, { cause })
    : new RetryableError('order_book_unavailable', 'The order book did not answer.', {}, { cause });
