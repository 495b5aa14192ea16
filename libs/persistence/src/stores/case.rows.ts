import type { Approval, CaseReason, CaseResolution, KeptDecision, OperatorCase } from '@v402/application';
import type { Arrival, Side } from '@v402/domain';
import { decimalOf, hexOf, microsOf } from '../values.js';

/** What waits for a person, from the three places where it stands, in one shape. */
const CASES = `
  SELECT q.id, 'quarantine' AS source, q.reason, q.code, q.contract_id, q.conflicts_with AS other, q.raw_digest, q.side,
    h.id AS hold_id, h.contract_id AS hold_contract, h.released_at IS NULL AS hold_open, q.occurrences,
    q.quarantined_at AS since, q.resolution, q.resolved_by, q.resolved_at
  FROM v402.quarantine q LEFT JOIN v402.hold h ON h.id = q.hold_id
  UNION ALL
  SELECT h.id, 'hold', h.reason, coalesce(h.evidence->>'code', h.reason), h.contract_id,
    decode(h.evidence->>'baseContractId', 'hex'), NULL, h.evidence->>'side',
    h.id, h.contract_id, h.released_at IS NULL, 1,
    h.placed_at, CASE WHEN h.released_at IS NULL THEN h.resolution ELSE coalesce(h.resolution, 'release') END,
    h.released_by, h.released_at
  FROM v402.hold h WHERE NOT EXISTS (SELECT FROM v402.quarantine q WHERE q.hold_id = h.id)
  UNION ALL
  SELECT p.event_id, 'parked_stream', 'stream_parked', p.code, p.stream, NULL, NULL, NULL, NULL, NULL, NULL, 1,
    p.parked_at, NULL, NULL, NULL
  FROM v402.parked_stream p`;

/**
 * An order that was given up keeps its hold: nothing of the deal that has not started ever starts. Once an amendment has
 * taken its contract's place, the hold stops what nobody has decided on, and the case is open again.
 */
const REOPENED = `(c.resolution = 'reject' AND c.hold_open AND p.state IS NOT DISTINCT FROM 'superseded')`;
const unlessReopened = (column: string): string => `CASE WHEN ${REOPENED} THEN NULL ELSE ${column} END`;

/** The rival of an equivocation is no settlement: its deal is that of the contract it conflicts with. */
const SELECT = `
  SELECT c.id::text, c.source, c.reason, c.code, ${hexOf('c.contract_id')} AS "contractId", ${hexOf('c.other')} AS "other",
    ${hexOf('c.raw_digest')} AS "rawDigest", c.side, ${hexOf('coalesce(s.deal_key, o.deal_key)')} AS "dealKey",
    c.hold_id::text AS "holdId", ${hexOf('c.hold_contract')} AS "holdContract", c.hold_open AS "holdOpen",
    c.occurrences, ${microsOf('c.since')} AS since, ${unlessReopened('c.resolution')} AS resolution,
    ${unlessReopened('c.resolved_by')} AS "resolvedBy", ${unlessReopened(microsOf('c.resolved_at'))} AS "resolvedAt",
    ${decimalOf('s.total')} AS amount, s.currency
  FROM (${CASES}) c
  LEFT JOIN v402.settlement s ON s.contract_id = c.contract_id
  LEFT JOIN v402.settlement o ON o.contract_id = c.other
  LEFT JOIN v402.order_placement p ON p.contract_id = c.contract_id AND p.side = c.side`;

/** $1 resolved ones too, $2 reason, $3 contract. */
export const LIST = `${SELECT}
  WHERE ($1::boolean OR c.resolution IS NULL OR ${REOPENED}) AND ($2::text IS NULL OR c.reason = $2)
    AND ($3::bytea IS NULL OR c.contract_id = $3 OR c.other = $3)
  ORDER BY c.since, c.id`;

export const FIND = `${SELECT} WHERE c.id = $1`;

export type CaseRow = {
  id: string;
  source: OperatorCase['source'];
  reason: CaseReason;
  code: string;
  contractId: string | null;
  other: string | null;
  rawDigest: string | null;
  side: Side | null;
  dealKey: string | null;
  holdId: string | null;
  holdContract: string | null;
  holdOpen: boolean | null;
  occurrences: number;
  since: string;
  resolution: CaseResolution | null;
  resolvedBy: string | null;
  resolvedAt: string | null;
  amount: string | null;
  currency: string | null;
};

export function caseOf(row: CaseRow): OperatorCase {
  const { id, source, reason, code, holdId, holdContract, holdOpen, occurrences, amount, currency } = row;
  return {
    id,
    source,
    reason,
    code,
    contractId: row.contractId ?? undefined,
    otherContractId: row.other ?? undefined,
    rawDigest: row.rawDigest ?? undefined,
    side: row.side ?? undefined,
    dealKey: row.dealKey ?? undefined,
    hold:
      holdId === null || holdContract === null
        ? undefined
        : { id: holdId, contractId: holdContract, isOpen: holdOpen === true },
    occurrences,
    since: BigInt(row.since),
    resolution: row.resolution ?? undefined,
    resolvedBy: row.resolvedBy ?? undefined,
    resolvedAt: row.resolvedAt === null ? undefined : BigInt(row.resolvedAt),
    total: amount === null || currency === null ? undefined : { amount, currency },
  };
}

export const DECISIONS = `
  SELECT outcome, code, ${hexOf('contract_id')} AS "contractId", ${hexOf('raw_digest')} AS "rawDigest", topic, partition,
    kafka_offset::text AS "offset", ${microsOf('arrival')} AS arrival, arrival_source AS source,
    ${hexOf('registry_digest')} AS "registryDigest", keys, code_version AS "codeVersion",
    ${microsOf('decided_at')} AS "decidedAt"
  FROM v402.decision WHERE contract_id = $1 OR raw_digest = $2 ORDER BY id`;

export type DecisionRow = Pick<KeptDecision, 'outcome' | 'rawDigest' | 'registryDigest' | 'keys' | 'codeVersion'> & {
  code: string | null;
  contractId: string | null;
  topic: string;
  partition: number;
  offset: string;
  arrival: string;
  source: Arrival['source'];
  decidedAt: string;
};

const APPROVAL = `
  SELECT id::text, case_id::text AS "caseId", action, options, ${decimalOf('amount')} AS amount, currency,
    requested_by AS "requestedBy", requested_login AS "requestedLogin", reason,
    ${microsOf('requested_at')} AS "requestedAt", outcome, decided_by AS "decidedBy", decided_login AS "decidedLogin"
  FROM v402.approval`;

export const APPROVALS_OF = `${APPROVAL} WHERE case_id = $1 ORDER BY approval.requested_at`;
export const PENDING_APPROVALS = `${APPROVAL} WHERE outcome IS NULL ORDER BY approval.requested_at`;
export const PENDING_APPROVAL = `${APPROVAL} WHERE (id = $1 OR case_id = $1) AND outcome IS NULL`;

export type ApprovalRow = {
  id: string;
  caseId: string;
  action: Approval['action'];
  options: { readonly orderChanged: boolean };
  amount: string | null;
  currency: string | null;
  requestedBy: string;
  requestedLogin: string;
  reason: string;
  requestedAt: string;
  outcome: 'approved' | 'withdrawn' | null;
  decidedBy: string | null;
  decidedLogin: string | null;
};

export function approvalOf({
  options,
  amount,
  currency,
  outcome,
  decidedBy,
  decidedLogin,
  requestedAt,
  ...row
}: ApprovalRow): Approval {
  return {
    ...row,
    orderChanged: options.orderChanged,
    total: amount === null || currency === null ? undefined : { amount, currency },
    requestedAt: BigInt(requestedAt),
    outcome: outcome ?? undefined,
    decidedBy: decidedBy ?? undefined,
    decidedLogin: decidedLogin ?? undefined,
  };
}
