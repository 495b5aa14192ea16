import { parseStrictJson } from '@v402/contract';
import { TerminalError, type SettlementContract } from '@v402/domain';
import type { SettlementRecord } from './ports/settlement-store.js';

/**
 * The contract of an accepted settlement. Its form was checked by intake before it was stored; it is read by the same strict
 * reader, so that nobody acts on another reader's idea of it.
 *
 * @throws TerminalError `contract_unreadable` where the stored bytes are no longer what intake wrote
 */
export function contractOf({ canonical }: Pick<SettlementRecord, 'canonical'>): SettlementContract {
  const parsed = parseStrictJson(canonical);
  if (!parsed.ok) throw new TerminalError('contract_unreadable', 'The stored contract cannot be read any more.');
  return parsed.value as object as SettlementContract;
}
