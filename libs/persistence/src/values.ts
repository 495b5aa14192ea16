import type { CalendarDate, Instant, Micros } from '@v402/domain';

/** `bytea` as text. PostgreSQL refuses what is not hex, where `Buffer.from` would silently cut it off. */
export const bytea = (hex: string): string => `\\x${hex}`;

export const optionalBytea = (hex: string | undefined): string | null => (hex === undefined ? null : bytea(hex));

export const bytes = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

/** SQL: a `bytea` column as lowercase hex. */
export const hexOf = (column: string): string => `encode(${column}, 'hex')`;

/** SQL: a `timestamptz` column as microseconds. Exact: `extract` is `numeric` with six fraction digits. */
export const microsOf = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

/** SQL: a `timestamptz` column as RFC 3339 in UTC with six fraction digits, as `instantOfMicros` writes it. */
export const instantOf = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * SQL: microseconds as `timestamptz`. The product is a double: exact to the microsecond until the year 2255, and for
 * whole seconds, which is what due times so far away are, beyond the year 9999.
 */
export const timestampOf = (micros: string): string => `timestamptz 'epoch' + ${micros} * interval '1 microsecond'`;

/** The driver hands `bigint` out as text. */
export const optionalMicros = (text: string | null): Micros | undefined => (text === null ? undefined : BigInt(text));

/** SQL: a `numeric` column as plain text without trailing zeros: the value that was stored, `400` for `400.00`. */
export const decimalOf = (column: string): string => `trim_scale(${column})::text`;

/** SQL: a `date` column as `dateOfText` reads it, whatever the server's DateStyle. */
export const dateOf = (column: string): string => `to_char(${column}, 'YYYY-MM-DD BC')`;

/** The calendar of contracts has a year 0000, which PostgreSQL calls 1 BC. */
export const dateText = (date: CalendarDate): string => (date.startsWith('0000') ? `0001${date.slice(4)} BC` : date);

export const dateOfText = (text: string): CalendarDate =>
  text.endsWith('BC') ? `0000${text.slice(4, 10)}` : text.slice(0, 10);

/**
 * A contract's instant as a label for people: cut to microseconds, as it may have hundreds of digits, and not before the
 * year 1, where PostgreSQL's own calendar begins.
 */
export function instantLabel(instant: Instant): Instant {
  if (instant.startsWith('0000')) return '0001-01-01T00:00:00Z';
  const fraction = instant.slice(20, -1).slice(0, 6);
  return `${instant.slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}
