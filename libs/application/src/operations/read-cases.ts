import { shortRefOf } from '@v402/contract';
import type { AuditEntry } from '../ports/audit-store.js';
import type { Approval, CaseFilter, KeptDecision, OperatorCase } from '../ports/case-store.js';
import type { RawMessage } from '../ports/evidence-store.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';
import { findCase } from './find-case.js';

export interface ListedCase extends OperatorCase {
  readonly shortRef: string | undefined;
  /** What waits for a second person. */
  readonly pending: Approval | undefined;
}

/** One of the documents that a case is about, with how it was decided. */
export interface CaseDocument {
  readonly what: 'contract' | 'other contract' | 'message';
  readonly contractId: string | undefined;
  /** The RFC 8785 form of an accepted contract. */
  readonly canonical: Uint8Array | undefined;
  /** The message as it came. */
  readonly raw: RawMessage | undefined;
  readonly decisions: readonly KeptDecision[];
}

export interface ShownCase extends ListedCase {
  readonly documents: readonly CaseDocument[];
  readonly approvals: readonly Approval[];
  readonly audit: readonly AuditEntry[];
}

/** What waits for a person. Reads only. */
export async function listCases(unitOfWork: UnitOfWork, filter: CaseFilter): Promise<readonly ListedCase[]> {
  return unitOfWork.run(async (tx) => {
    const pending = new Map((await tx.cases.pendingApprovals()).map((each) => [each.caseId, each]));
    return (await tx.cases.list(filter)).map((one) => listed(one, pending.get(one.id)));
  });
}

/**
 * One case with all that a person decides on. Reads only.
 * @throws OperationRefused `case_not_found`, `several_cases`
 */
export async function showCase(unitOfWork: UnitOfWork, id: string): Promise<ShownCase> {
  return unitOfWork.run(async (tx) => {
    const one = await findCase(tx, id);
    const approvals = await tx.cases.approvals(one.id);
    const pending = approvals.find(({ outcome }) => outcome === undefined);
    return {
      ...listed(one, pending),
      documents: await documentsOf(tx, one),
      approvals,
      audit: await tx.audit.about({ subject: one.id }),
    };
  });
}

const listed = (one: OperatorCase, pending: Approval | undefined): ListedCase => ({
  ...one,
  shortRef: one.contractId === undefined ? undefined : shortRefOf(one.contractId),
  pending,
});

async function documentsOf(tx: Transaction, one: OperatorCase): Promise<readonly CaseDocument[]> {
  if (one.reason === 'stream_parked') return [];
  const { contractId, otherContractId, rawDigest } = one;
  const documents: CaseDocument[] = [];
  if (otherContractId !== undefined) documents.push(await documentOf(tx, 'other contract', otherContractId, undefined));
  documents.push(await documentOf(tx, contractId === undefined ? 'message' : 'contract', contractId, rawDigest));
  return documents;
}

async function documentOf(
  tx: Transaction,
  what: CaseDocument['what'],
  contractId: string | undefined,
  rawDigest: string | undefined,
): Promise<CaseDocument> {
  const decisions = await tx.cases.decisions({
    ...(contractId !== undefined && { contractId }),
    ...(rawDigest !== undefined && { rawDigest }),
  });
  const digest = rawDigest ?? decisions.find(({ outcome }) => outcome === 'accepted')?.rawDigest;
  return {
    what,
    contractId,
    canonical: contractId === undefined ? undefined : await tx.cases.canonical(contractId),
    raw: digest === undefined ? undefined : await tx.cases.raw(digest),
    decisions,
  };
}
