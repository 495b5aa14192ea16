import type { Micros } from '@v402/domain';
import type { PlacedOrder, PreflightIssue } from '../ports/order-system.js';

/** What is known about an order after the order system was asked, or could not be asked. */
export type OrderOutcome =
  | { readonly kind: 'created'; readonly order: PlacedOrder }
  | { readonly kind: 'rejected'; readonly code: string; readonly issues: readonly PreflightIssue[] }
  /** Proven: nothing was written. */
  | { readonly kind: 'not_written'; readonly code: string; readonly retryAfterMs: number | undefined }
  /** `callUntil`: the end of the lease under which a call was made that may still be under way; undefined: none is. */
  | { readonly kind: 'unknown'; readonly code: string; readonly callUntil: Micros | undefined }
  /** An order with our reference exists, and it is not what was agreed. */
  | { readonly kind: 'different'; readonly code: string }
  /** It cannot be found out safely whether the order exists. */
  | { readonly kind: 'unresolved'; readonly code: string }
  /** The look-up could not be made. */
  | { readonly kind: 'not_looked_up'; readonly code: string };
