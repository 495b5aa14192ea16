import type { Approval, AuditEntry, KeptDecision, ListedCase, Resolved, ShownCase } from '@v402/application';
import { instantOfMicros } from '@v402/domain';

/** An entry of the audit trail for programs, here and below with the moments of the database's clock as instants. */
export const entryJson = (entry: AuditEntry): object => ({ ...entry, at: instantOfMicros(entry.at) });

export const resolvedJson = (resolved: Resolved): object => ({ ...resolved, audit: entryJson(resolved.audit) });

export const listedCaseJson = (one: ListedCase): object => ({
  ...one,
  since: instantOfMicros(one.since),
  resolvedAt: one.resolvedAt && instantOfMicros(one.resolvedAt),
  pending: one.pending && approvalJson(one.pending),
});

export const caseJson = (one: ShownCase): object => ({
  ...listedCaseJson(one),
  documents: one.documents.map((each) => ({ ...each, decisions: each.decisions.map(decisionJson) })),
  approvals: one.approvals.map(approvalJson),
  audit: one.audit.map(entryJson),
});

const approvalJson = (approval: Approval) => ({ ...approval, requestedAt: instantOfMicros(approval.requestedAt) });

const decisionJson = (decision: KeptDecision) => ({ ...decision, decidedAt: instantOfMicros(decision.decidedAt) });
