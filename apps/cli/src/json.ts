import { printableJson } from '@v402/domain';

/** JSON for programs, and safe at a terminal. What may be too large for a number, such as Kafka's offsets, is text; bytes are base64. */
export function toJson(value: unknown): string {
  return `${printableJson(JSON.stringify(plain(value), null, 2))}\n`;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
