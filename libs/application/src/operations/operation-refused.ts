import { TerminalError, type ErrorContext } from '@v402/domain';

/** Why an operator's action is not done. Stable: scripts and runbooks build on them. */
export type OperationRefusal =
  | 'case_not_found'
  | 'several_cases'
  | 'already_resolved'
  | 'nothing_to_redrive'
  | 'decision_needed'
  | 'use_redrive'
  | 'cannot_reject'
  | 'already_decided'
  | 'already_started'
  | 'amendment_undecided'
  | 'not_current'
  | 'order_undecided'
  | 'order_not_stuck'
  | 'order_change_unconfirmed'
  | 'contract_refused'
  | 'bytes_incomplete'
  | 'still_undecidable'
  | 'approval_pending'
  | 'approval_not_found'
  | 'same_person'
  | 'names_differ'
  | 'actor_invalid'
  | 'reason_invalid';

/** The answer to an operator is no, and nothing was changed: its code says what stands in the way. */
export class OperationRefused extends TerminalError {
  constructor(code: OperationRefusal, message: string, context: ErrorContext = {}, options?: { cause?: unknown }) {
    super(code, message, context, options);
  }
}
