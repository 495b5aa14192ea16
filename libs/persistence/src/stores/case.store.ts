import type {
  Approval,
  CaseFilter,
  CaseResolution,
  CaseStore,
  KeptDecision,
  NewApproval,
  OperatorCase,
  RawMessage,
} from '@v402/application';
import { type ContractId, instantOfMicros } from '@v402/domain';
import type { Session } from '../session.js';
import { bytea, hexOf, optionalBytea } from '../values.js';
import * as rows from './case.rows.js';

const LOCK_QUARANTINE = 'SELECT FROM v402.quarantine WHERE id = $1 FOR NO KEY UPDATE';
const LOCK_HOLD = 'SELECT FROM v402.hold WHERE id = $1 FOR NO KEY UPDATE';

const RESOLVE_QUARANTINE = `
  UPDATE v402.quarantine SET resolution = $2, resolved_by = $3, resolved_at = clock_timestamp() WHERE id = $1`;
const RESOLVE_HOLD = 'UPDATE v402.hold SET resolution = $2 WHERE id = $1';
const RELEASE_HOLD = `
  UPDATE v402.hold SET resolution = $2, released_by = $3, released_at = clock_timestamp()
  WHERE id = $1 AND released_at IS NULL`;
const UNPARK = 'DELETE FROM v402.parked_stream WHERE event_id = $1';

const OF_SHORT_REF = `SELECT ${hexOf('contract_id')} AS "contractId" FROM v402.settlement WHERE short_ref = $1`;
const RAW = 'SELECT size, bytes, truncated FROM v402.raw_message WHERE digest = $1';
const CANONICAL = 'SELECT canonical FROM v402.settlement WHERE contract_id = $1';

const REQUEST_APPROVAL = `
  INSERT INTO v402.approval (id, case_id, action, options, amount, currency, requested_by, reason)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;
const DECIDE_APPROVAL = `
  UPDATE v402.approval SET outcome = $2, decided_by = $3, decided_at = clock_timestamp()
  WHERE id = $1 AND outcome IS NULL`;

export class PgCaseStore implements CaseStore {
  constructor(private readonly session: Session) {}

  async list({ reason, all = false, contractId }: CaseFilter): Promise<readonly OperatorCase[]> {
    const found = await this.session.query<rows.CaseRow>(rows.LIST, [all, reason ?? null, optionalBytea(contractId)]);
    return found.map(rows.caseOf);
  }

  async find(id: string): Promise<OperatorCase | undefined> {
    const [row] = await this.session.query<rows.CaseRow>(rows.FIND, [id]);
    return row === undefined ? undefined : rows.caseOf(row);
  }

  async lock({ id, source, hold }: OperatorCase): Promise<OperatorCase | undefined> {
    if (source === 'quarantine') await this.session.write(LOCK_QUARANTINE, [id]);
    if (hold !== undefined) await this.session.write(LOCK_HOLD, [hold.id]);
    // Only a statement that begins after the lock was given sees what the one before has committed.
    return this.find(id);
  }

  async resolve({ id, source }: OperatorCase, resolution: CaseResolution, actor: string): Promise<void> {
    if (source === 'quarantine') await this.session.writeEach(RESOLVE_QUARANTINE, [id], [id, resolution, actor]);
    if (source === 'hold') await this.session.writeEach(RESOLVE_HOLD, [id], [id, resolution]);
  }

  async releaseHold(holdId: string, resolution: CaseResolution, actor: string): Promise<void> {
    await this.session.writeEach(RELEASE_HOLD, [holdId], [holdId, resolution, actor]);
  }

  async unpark(eventId: string): Promise<boolean> {
    return (await this.session.write(UNPARK, [eventId])) > 0;
  }

  async contractOfShortRef(shortRef: string): Promise<ContractId | undefined> {
    const [row] = await this.session.query<{ contractId: string }>(OF_SHORT_REF, [shortRef]);
    return row?.contractId;
  }

  async raw(digest: string): Promise<RawMessage | undefined> {
    const [row] = await this.session.query<Omit<RawMessage, 'digest'>>(RAW, [bytea(digest)]);
    return row === undefined ? undefined : { digest, ...row };
  }

  async canonical(contractId: ContractId): Promise<Uint8Array | undefined> {
    const [row] = await this.session.query<{ canonical: Buffer }>(CANONICAL, [bytea(contractId)]);
    return row?.canonical;
  }

  async decisions(about: { contractId?: ContractId; rawDigest?: string }): Promise<readonly KeptDecision[]> {
    const values = [optionalBytea(about.contractId), optionalBytea(about.rawDigest)];
    const found = await this.session.query<rows.DecisionRow>(rows.DECISIONS, values);
    return found.map(({ topic, partition, offset, arrival, source, ...row }) => ({
      ...row,
      code: row.code ?? undefined,
      contractId: row.contractId ?? undefined,
      coordinates: { topic, partition, offset: BigInt(offset) },
      arrival: { at: instantOfMicros(BigInt(arrival)), source },
      decidedAt: BigInt(row.decidedAt),
    }));
  }

  async approvals(caseId: string): Promise<readonly Approval[]> {
    const found = await this.session.query<rows.ApprovalRow>(rows.APPROVALS_OF, [caseId]);
    return found.map(rows.approvalOf);
  }

  async pendingApprovals(): Promise<readonly Approval[]> {
    return (await this.session.query<rows.ApprovalRow>(rows.PENDING_APPROVALS)).map(rows.approvalOf);
  }

  async pendingApproval(id: string): Promise<Approval | undefined> {
    const [row] = await this.session.query<rows.ApprovalRow>(rows.PENDING_APPROVAL, [id]);
    return row === undefined ? undefined : rows.approvalOf(row);
  }

  async requestApproval(approval: NewApproval): Promise<void> {
    await this.session.write(REQUEST_APPROVAL, [
      approval.id,
      approval.caseId,
      approval.action,
      JSON.stringify({ orderChanged: approval.orderChanged }),
      approval.total?.amount ?? null,
      approval.total?.currency ?? null,
      approval.requestedBy,
      approval.reason,
    ]);
  }

  async decideApproval(id: string, outcome: 'approved' | 'withdrawn', actor: string): Promise<void> {
    await this.session.writeEach(DECIDE_APPROVAL, [id], [id, outcome, actor]);
  }
}
