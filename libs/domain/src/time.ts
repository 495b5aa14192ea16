import { TerminalError } from './errors.js';
import type { CalendarDate } from './terms.js';

/** RFC 3339 in UTC with `T` and `Z`, any number of fraction digits; compared exactly on its text (section 3). */
export type Instant = string;

const INSTANT = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?Z$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const DAY_SECONDS = 86_400;

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Whether the text is a date of the (proleptic Gregorian) calendar, `YYYY-MM-DD`. */
export function isCalendarDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

/** Whether the text is an instant of section 3: a calendar date, no 24:00, no second 60, capital `T` and `Z`. */
export function isInstant(text: string): boolean {
  const match = INSTANT.exec(text);
  if (match === null) return false;
  const [, date = '', hour, minute, second] = match;
  return isCalendarDate(date) && Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 59;
}

/** The whole seconds are exact integers; the fraction stays text, so no digit of it is ever lost. */
function split(instant: Instant): { unixSeconds: number; fraction: string } {
  const unixSeconds = Date.parse(`${instant.slice(0, 19)}Z`) / 1000;
  if (!isInstant(instant) || !Number.isSafeInteger(unixSeconds)) {
    throw new TerminalError('instant_invalid', 'An instant is RFC 3339 in UTC, such as 2026-11-21T10:15:30.120Z.');
  }
  return { unixSeconds, fraction: instant.slice(20, -1) };
}

function dateTimeText(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  // Years outside 0000–9999 are written with a sign and six digits, which RFC 3339 does not know.
  if (text.length !== 24) {
    throw new TerminalError('instant_out_of_range', 'The calendar of RFC 3339 ends with the year 9999.');
  }
  return text.slice(0, 19);
}

/**
 * Compares `left` with `right` + `plusSeconds` exactly, whatever the number of fraction digits: -1, 0 or 1.
 * `plusSeconds` is a whole number; the shifted moment may lie outside the years that a text can hold.
 */
export function compareInstants(left: Instant, right: Instant, plusSeconds = 0): number {
  const a = split(left);
  const b = split(right);
  const shifted = b.unixSeconds + plusSeconds;
  if (a.unixSeconds !== shifted) return a.unixSeconds < shifted ? -1 : 1;
  // Padded to one length, digits compare as text like the fractions that they are.
  const digits = Math.max(a.fraction.length, b.fraction.length);
  const [x, y] = [a.fraction.padEnd(digits, '0'), b.fraction.padEnd(digits, '0')];
  return x === y ? 0 : x < y ? -1 : 1;
}

/**
 * The instant a whole number of seconds later (earlier when negative); the fraction is kept as written.
 *
 * @throws TerminalError `instant_out_of_range` beyond the years 0000–9999
 */
export function addSeconds(instant: Instant, seconds: number): Instant {
  const { unixSeconds, fraction } = split(instant);
  return `${dateTimeText(unixSeconds + seconds)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Whole seconds since 1970-01-01T00:00:00Z, rounded down; negative before it. */
export function toUnixSeconds(instant: Instant): number {
  return split(instant).unixSeconds;
}

/** The UTC calendar date of an instant. */
export function dateOf(instant: Instant): CalendarDate {
  return instant.slice(0, 10);
}

/**
 * The date `days` calendar days later (earlier when negative).
 *
 * @throws TerminalError `instant_out_of_range` beyond the years 0000–9999
 */
export function addDays(date: CalendarDate, days: number): CalendarDate {
  return dateOf(dateTimeText(split(`${date}T00:00:00Z`).unixSeconds + days * DAY_SECONDS));
}
