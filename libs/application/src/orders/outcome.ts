import type { PlacedOrder, PreflightIssue } from '../ports/order-system.js';

/** What is known about an order after the order system was asked, or could not be asked. */
export type OrderOutcome =
  | { readonly kind: 'created'; readonly order: PlacedOrder }
  | { readonly kind: 'rejected'; readonly code: string; readonly issues: readonly PreflightIssue[] }
  /** Proven: nothing was written. */
  | { readonly kind: 'not_written'; readonly code: string; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'unknown'; readonly code: string }
  /** An order with our reference exists, and it is not what was agreed. */
  | { readonly kind: 'different'; readonly code: string }
  /** It cannot be found out safely whether the order exists. */
  | { readonly kind: 'unresolved'; readonly code: string }
  /** The look-up came to nothing. */
  | { readonly kind: 'not_looked_up'; readonly code: string }
  /** What became of the order is known, and the database will not have it. */
  | { readonly kind: 'not_recordable'; readonly code: string };

/** Reasons for which nothing was written that say nothing about the order system. */
const HARMLESS: ReadonlySet<string> = new Set(['deadline_before_call', 'not_found']);

export const isHarmless = ({ code }: Extract<OrderOutcome, { kind: 'not_written' }>): boolean => HARMLESS.has(code);

/** The order system says that the order exists, and does not show it. */
export const ORDER_NOT_READABLE = 'order_not_readable';

/** What an outcome says about the order system; undefined: nothing, since it was not asked. */
export function verdictOf(outcome: OrderOutcome): 'answered' | 'failed' | undefined {
  switch (outcome.kind) {
    case 'created':
    case 'different':
      return 'answered';
    case 'rejected':
      // A preflight asks the adapter, which may know by itself.
      return outcome.issues.length > 0 ? undefined : 'answered';
    case 'not_written':
      if (outcome.code === 'not_found') return 'answered';
      return isHarmless(outcome) ? undefined : 'failed';
    case 'unknown':
      if (outcome.code === OUTCOME_NOT_RECORDED) return undefined;
      return outcome.code === ORDER_NOT_READABLE ? 'answered' : 'failed';
    case 'not_looked_up':
      return outcome.code === ORDER_NOT_READABLE ? 'answered' : 'failed';
    case 'unresolved':
    case 'not_recordable':
      return undefined;
  }
}

/** Its claimant died, or lost its lease, between the intent and the outcome. */
export const OUTCOME_NOT_RECORDED = 'outcome_not_recorded';
