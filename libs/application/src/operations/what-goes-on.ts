import { readEnvelope } from '@v402/contract';
import type { SettlementContract } from '@v402/domain';
import { contractOf } from '../contract-of.js';
import type { CaseAmount, CaseResolution } from '../ports/case-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import type { LockedCase } from './resolution.js';

/**
 * The totals, as they were signed, of what an action may let go on: the contract that a release or a redrive lets in, and
 * every contract of the deal that stands, but for one that the action rejects. Undefined where bytes do not tell.
 */
export async function whatGoesOn(
  { tx, one, settlements }: Pick<LockedCase, 'tx' | 'one' | 'settlements'>,
  action: CaseResolution,
): Promise<readonly (CaseAmount | undefined)[]> {
  const rejected = action === 'reject' ? one.contractId : undefined;
  const standing = settlements.filter(({ contractId, state }) => state !== 'superseded' && contractId !== rejected);
  const stored = await tx.settlements.read(standing.map(({ contractId }) => contractId));
  const totals = stored.map((record) => totalOf(contractOf(record)));
  if (action === 'reject' || one.rawDigest === undefined) return totals;
  return [await totalOfBytes(tx, one.rawDigest), ...totals];
}

async function totalOfBytes(tx: Transaction, rawDigest: string): Promise<CaseAmount | undefined> {
  const raw = await tx.cases.raw(rawDigest);
  const read = raw === undefined ? undefined : readEnvelope(raw.bytes);
  return read?.ok === true ? totalOf(read.identified.envelope.contract) : undefined;
}

const totalOf = ({ terms }: SettlementContract): CaseAmount => ({ amount: terms.total, currency: terms.currency });
