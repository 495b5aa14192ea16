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
