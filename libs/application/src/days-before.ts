import type { CalendarDate, Micros } from '@v402/domain';

const DAY_MS = 86_400_000;

/**
 * 00:00 UTC of the day that lies `days` before `date`. Counted in time and not on calendar texts: a contract may name any
 * date, and no text says what lies before the year 0000.
 */
export function daysBefore(date: CalendarDate, days: number): Micros {
  return BigInt(Date.parse(`${date}T00:00:00Z`) - days * DAY_MS) * 1000n;
}
