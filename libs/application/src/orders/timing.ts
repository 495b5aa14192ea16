import type { Backoff, Micros } from '@v402/domain';
import type { CircuitPolicy } from './circuit-breaker.js';

/** How long things may take while orders are placed, in milliseconds, and how often they are tried. */
export interface OrderTiming {
  /** A claim is ours this long, and is renewed while we work on it: what dies with a process waits so long. */
  readonly leaseMs: number;
  /** How long before the lease's end no call begins any more. A call that has begun may last longer than the lease. */
  readonly leaseMarginMs: number;
  /** The longest that a call to the order system may take. */
  readonly callTimeoutMs: number;
  /** Added to the server's own time-out before an order of unknown outcome is looked up. */
  readonly lookUpMarginMs: number;
  /** How often work that a hold stops is looked at again. */
  readonly holdRecheckMs: number;
  readonly backoff: Backoff;
  /** After so many attempts of which nothing was written, a person has to look. */
  readonly maxAttempts: number;
  /** After this many look-ups that came to nothing although the order system answers others, a person has to look. */
  readonly maxLookUps: number;
  readonly circuit: CircuitPolicy;
}

/**
 * From when on a look-up tells what became of a call whose intent is recorded at `now`: the call has ended by then, and
 * the order system has done or given up what it was asked.
 */
export function lookUpNotBefore(
  now: Micros,
  { callTimeoutMs, lookUpMarginMs }: Pick<OrderTiming, 'callTimeoutMs' | 'lookUpMarginMs'>,
  { serverTimeoutMs }: { readonly serverTimeoutMs: number },
): Micros {
  return now + BigInt(callTimeoutMs + serverTimeoutMs + lookUpMarginMs) * 1000n;
}
