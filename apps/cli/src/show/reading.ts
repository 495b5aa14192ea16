import { printableJson } from '@v402/domain';
import type { SettlementReader } from '@v402/persistence';

/** Opens a reader for one question. */
export async function withReader<T>(url: string, ask: (reader: SettlementReader) => Promise<T>): Promise<T> {
  const { SettlementReader } = await import('@v402/persistence');
  const reader = new SettlementReader({ url, applicationName: 'v402 command line' });
  try {
    return await ask(reader);
  } finally {
    await reader.close();
  }
}

/** JSON for programs, and safe at a terminal. Kafka's offsets, which may be too large for a number, are strings. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? String(member) : member), 2);
  return `${printableJson(text)}\n`;
}
