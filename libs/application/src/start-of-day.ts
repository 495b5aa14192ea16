import type { CalendarDate, Micros } from '@v402/domain';

/** 00:00 UTC of a calendar date. */
export function startOfDay(date: CalendarDate): Micros {
  return BigInt(Date.parse(`${date}T00:00:00Z`)) * 1000n;
}
