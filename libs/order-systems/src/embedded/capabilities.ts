import type { OrderSystemCapabilities } from '@v402/application';

/** PostgreSQL ends a statement, and a transaction that waits for its next one, after this long. */
export const SERVER_TIMEOUT_MS = 1_000;

export const EMBEDDED_CAPABILITIES: OrderSystemCapabilities = {
  uniqueRef: 'server',
  atomicCreate: true,
  upsertOverwrites: false,
  refMaxLength: 64,
  refCharset: /^[A-Za-z0-9._:-]$/,
  change: 'none',
  priceScale: 9,
  quantityScale: 9,
  cancel: 'before_fulfilment',
  serverTimeoutMs: SERVER_TIMEOUT_MS,
  maxConcurrency: 32,
  bulkCreate: false,
};
