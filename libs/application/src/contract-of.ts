import type { SettlementContract } from '@v402/domain';
import type { SettlementRecord } from './ports/settlement-store.js';

/** The contract of an accepted settlement. Its bytes were checked by intake, before they were stored. */
export function contractOf({ canonical }: Pick<SettlementRecord, 'canonical'>): SettlementContract {
  return JSON.parse(new TextDecoder().decode(canonical)) as SettlementContract;
}
