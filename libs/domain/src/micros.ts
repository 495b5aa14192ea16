import type { Instant } from './time.js';

/** A moment of the database's clock: microseconds since the Unix epoch, which is all the precision that it has. */
export type Micros = bigint;

/** RFC 3339 with six fraction digits. */
export function instantOfMicros(micros: Micros): Instant {
  const fraction = micros % 1_000_000n;
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(fraction).padStart(6, '0')}Z`;
}
