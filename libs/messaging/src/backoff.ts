/** Bounds of the waiting time between attempts, in milliseconds. */
export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * How long to wait after the given failed attempt (from 1), in milliseconds: doubles up to the cap. Half of it is random, so
 * that processes that failed together do not come back together.
 */
export function backoffMs(backoff: Backoff, attempt: number, random: () => number = Math.random): number {
  const ceilingMs = Math.min(backoff.capMs, backoff.baseMs * 2 ** (attempt - 1));
  return Math.round(ceilingMs / 2 + (random() * ceilingMs) / 2);
}
