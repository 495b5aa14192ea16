export * from './embedded/embedded.adapter.js';
export { EMBEDDED_CAPABILITIES } from './embedded/capabilities.js';
export type { TransactionHooks } from './embedded/transaction.js';
