import type { SettlementContract } from '@v402/domain';
import type { EvidenceFile } from '../evidence-file.js';
import type { EvidenceCheck, Fail, OpenedEvidence } from './evidence-check.js';

/** What the checks of an accepted contract have in common. */
export interface Books {
  readonly opened: OpenedEvidence;
  readonly file: EvidenceFile;
  readonly settlement: NonNullable<EvidenceFile['settlement']>;
  readonly contractId: string;
  readonly shortRef: string;
  readonly contract: SettlementContract;
}

/** A check of what an accepted contract became. */
export const ofSettlement =
  (run: (books: Books, fail: Fail) => boolean): EvidenceCheck['run'] =>
  (opened, fail) => {
    const { file, identified } = opened;
    const { settlement } = file;
    if (settlement === null || identified === undefined) return noBooks(file, fail);
    const { contractId, shortRef, envelope } = identified;
    return run({ opened, file, settlement, contractId, shortRef, contract: envelope.contract }, fail);
  };

/** Nothing may have started of what was never accepted. */
function noBooks({ orders, legs, deliveries }: EvidenceFile, fail: Fail): boolean {
  const lists = { orders, legs, deliveries };
  for (const [name, rows] of Object.entries(lists)) {
    if (rows.length > 0) fail(`/${name}`, 'belong to no accepted contract');
  }
  return false;
}
