import { instantOfMicros } from '@v402/domain';

/** Members that are moments of the database's clock. */
const MOMENTS: ReadonlySet<string> = new Set(['since', 'resolvedAt', 'requestedAt', 'decidedAt', 'at']);

/** A value of the application as JSON holds it: moments as instants, other large numbers as texts, bytes as base64. */
export function asJson(value: unknown, name = ''): unknown {
  if (typeof value === 'bigint') return MOMENTS.has(name) ? instantOfMicros(value) : value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((each) => asJson(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, asJson(member, key)]));
}
