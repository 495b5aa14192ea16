import type { Backoff } from '@v402/domain';

/** How long things may take while orders are placed; all in milliseconds. */
export interface OrderTiming {
  /** A claim is ours this long. Every call ends before its lease does. */
  readonly leaseMs: number;
  /** How much before the lease's end a call must have ended. */
  readonly leaseMarginMs: number;
  /** The longest that a call to the order system may take. */
  readonly callTimeoutMs: number;
  /** Added to the server's own time-out before an order of unknown outcome is looked up. */
  readonly lookUpMarginMs: number;
  /** How often work that a hold stops is looked at again. */
  readonly holdRecheckMs: number;
  readonly backoff: Backoff;
  /** After this many look-ups that failed for no known reason, a person has to look. */
  readonly maxLookUps: number;
}
