export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait before attempt `attempts` + 1: doubling from `firstMs` up to `maxMs`, and of that a random share
 * between one half and the whole, so that many who failed together do not come back together.
 */
export function backoffMs({ firstMs, maxMs }: Backoff, attempts: number, random: () => number = Math.random): number {
  const whole = Math.min(maxMs, firstMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(whole * (0.5 + random() / 2));
}
