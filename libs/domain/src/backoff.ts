/** Bounds of the waiting time between attempts, in milliseconds. */
export interface Backoff {
  /** The longest wait after the first failed attempt. */
  readonly firstMs: number;
  /** The longest wait at all. */
  readonly maxMs: number;
}

/**
 * How long to wait after the given number of failed attempts (from 1), in whole milliseconds: doubling from `firstMs` up
 * to `maxMs`, and of that a random share between one half and the whole, so that many who failed together do not come
 * back together.
 */
export function backoffMs({ firstMs, maxMs }: Backoff, attempts: number, random: () => number = Math.random): number {
  const whole = Math.min(maxMs, firstMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(whole * (0.5 + random() / 2));
}
