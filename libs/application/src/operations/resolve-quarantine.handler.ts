import { readEnvelope } from '@v402/contract';
import type { EventNaming } from '../events/settlement-stream.js';
import type { AcceptContractsHandler } from '../intake/accept-contracts.handler.js';
import { dealOf } from '../intake/inbound-message.js';
import type { DeliveryLead } from '../orders/work-after-order.js';
import type { AuditAction, AuditEntry } from '../ports/audit-store.js';
import type { Approval, CaseAmount, CaseResolution, OperatorCase } from '../ports/case-store.js';
import type { FaultPoint, Ids } from '../ports/seams.js';
import type { AcceptedContract } from '../ports/settlement-store.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';
import { needsApproval, type ApprovalLimits } from './approval-policy.js';
import { appendAudit } from './audit-trail.js';
import { findCase, findForRedrive } from './find-case.js';
import { OperationRefused } from './operation-refused.js';
import { checkRequest, type OperatorRequest } from './operator-request.js';
import { redriveAction, rejectAction, releaseAction } from './actions.js';
import { lockDeal, type Changes, type LockedCase } from './resolution.js';

export interface OperationsContext {
  readonly naming: EventNaming;
  readonly deliveryLead: DeliveryLead;
  readonly approvalOver: ApprovalLimits;
  readonly ids: Ids;
  readonly faults: FaultPoint;
  /** Asked for only where stored bytes are decided. */
  readonly intake: () => AcceptContractsHandler;
}

export interface ReleaseOptions {
  /** The operator states that the orders in the order system were changed to what the amendment says. */
  readonly orderChanged: boolean;
}

/** `done`, or `pending` until another person approves. */
export type Resolved =
  | { readonly outcome: 'done'; readonly caseId: string; readonly changes: Changes; readonly audit: AuditEntry }
  | { readonly outcome: 'pending'; readonly caseId: string; readonly approvalId: string; readonly audit: AuditEntry };

interface Action {
  readonly name: CaseResolution;
  readonly audited: AuditAction;
  readonly request: OperatorRequest;
  readonly details?: Changes;
  readonly run: (locked: LockedCase) => Promise<Changes>;
  /** Undefined: no second person is asked. */
  readonly approval?: { readonly action: Approval['action']; readonly orderChanged: boolean };
}

/**
 * What operators do about what is stuck. Every action is one transaction: the state, its events and the audit entry
 * commit together, or nothing does. None takes any content: they work on the bytes that are stored.
 */
export class ResolveQuarantineHandler {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly context: OperationsContext,
  ) {}

  /** What was held, or set aside, stands. @throws OperationRefused where it cannot */
  async release(id: string, request: OperatorRequest, { orderChanged }: ReleaseOptions): Promise<Resolved> {
    const checked = checkRequest(request);
    return this.unitOfWork.run(async (tx) =>
      this.#act(tx, await findCase(tx, id), {
        name: 'release',
        audited: 'release',
        request: checked,
        run: (locked) => releaseAction(locked, orderChanged),
        approval: { action: 'release', orderChanged },
      }),
    );
  }

  /** What was held, or set aside, does not stand. @throws OperationRefused where that cannot be */
  async reject(id: string, request: OperatorRequest): Promise<Resolved> {
    const checked = checkRequest(request);
    return this.unitOfWork.run(async (tx) =>
      this.#act(tx, await findCase(tx, id), { name: 'reject', audited: 'reject', request: checked, run: rejectAction }),
    );
  }

  /**
   * The one safe next step for what is stuck.
   * @param id of a case, a contractId or a shortRef
   */
  async redrive(id: string, request: OperatorRequest): Promise<Resolved> {
    const checked = checkRequest(request);
    return this.unitOfWork.run(async (tx) => {
      const one = await findForRedrive(tx, id);
      return this.#act(tx, one, {
        name: 'redrive',
        audited: 'redrive',
        request: checked,
        run: redriveAction,
        // To decide a message again is to let it in, whatever the command is called.
        ...(one.reason === 'undecidable_message' && { approval: { action: 'redrive', orderChanged: false } }),
      });
    });
  }

  /**
   * Does what another person has asked for.
   * @param id of the request or of its case
   */
  async approve(
    id: string,
    { actor, reason }: { readonly actor: string; readonly reason?: string },
  ): Promise<Resolved> {
    return this.unitOfWork.run(async (tx) => {
      const pending = await pendingApproval(tx, id);
      const request = checkRequest({ actor, reason: reason ?? pending.reason });
      const one = await findCase(tx, pending.caseId);
      if (sameActor(request.actor, pending.requestedBy)) {
        throw new OperationRefused('same_person', 'A release over the limit takes a second person.');
      }
      return this.#act(tx, one, {
        name: pending.action,
        audited: 'approve_release',
        request,
        details: { approval: pending.id, requestedBy: pending.requestedBy },
        run: async (locked) => {
          // Under the case's lock only one person is here: whoever comes second finds it resolved.
          await tx.cases.decideApproval(pending.id, 'approved', request.actor);
          return pending.action === 'release' ? releaseAction(locked, pending.orderChanged) : redriveAction(locked);
        },
      });
    });
  }

  async #act(tx: Transaction, found: OperatorCase, action: Action): Promise<Resolved> {
    const { ids, faults, approvalOver, intake, naming, deliveryLead } = this.context;
    const { actor } = action.request;
    const { one, settlements } = await lockCase(tx, found, action.name);
    if (action.approval !== undefined && needsApproval(approvalOver, await amountOf(tx, one))) {
      return this.#ask(tx, one, action, ids.next());
    }
    const changes = await action.run({ tx, one, settlements, actor, naming, deliveryLead, intake });
    await withdrawPending(tx, one, actor);
    const audit = await this.#record(tx, one, action.audited, action.request, { ...action.details, ...changes });
    await faults.reach('C9');
    return { outcome: 'done', caseId: one.id, changes, audit };
  }

  /** Writes the request down for a second person. */
  async #ask(tx: Transaction, one: OperatorCase, action: Action, approvalId: string): Promise<Resolved> {
    const earlier = (await tx.cases.approvals(one.id)).find(({ outcome }) => outcome === undefined);
    if (earlier !== undefined) {
      throw new OperationRefused(
        'approval_pending',
        'This waits for a second person already: v402 quarantine approve.',
        {
          approval: earlier.id,
          requestedBy: earlier.requestedBy,
        },
      );
    }
    const { actor, reason } = action.request;
    const total = await amountOf(tx, one);
    const { action: wanted, orderChanged } = action.approval ?? { action: 'release', orderChanged: false };
    await tx.cases.requestApproval({
      id: approvalId,
      caseId: one.id,
      action: wanted,
      orderChanged,
      total,
      requestedBy: actor,
      reason,
    });
    const details = {
      approval: approvalId,
      amount: total === undefined ? 'unknown' : `${total.amount} ${total.currency}`,
    };
    const audit = await this.#record(tx, one, 'request_release', action.request, details);
    await this.context.faults.reach('C9');
    return { outcome: 'pending', caseId: one.id, approvalId, audit };
  }

  #record(
    tx: Transaction,
    one: OperatorCase,
    action: AuditAction,
    { actor, reason }: OperatorRequest,
    changes: Changes,
  ): Promise<AuditEntry> {
    const { contractId, otherContractId } = one;
    const other = otherContractId === undefined ? {} : { otherContract: otherContractId };
    const details = { case: one.reason, ...other, ...changes };
    return appendAudit(tx, { actor, reason, action, subject: one.id, contractId, details });
  }
}

/** Deal, settlements, case: read again under the locks, since another operator may have been faster. */
async function lockCase(
  tx: Transaction,
  found: OperatorCase,
  resolution: CaseResolution,
): Promise<{ one: OperatorCase; settlements: readonly AcceptedContract[] }> {
  if (found.reason === 'undecidable_message') await lockDealOfBytes(tx, found);
  const settlements = await lockDeal(tx, found.dealKey);
  const one = await tx.cases.lock(found);
  if (one === undefined || !isOpen(one, resolution)) {
    throw new OperationRefused('already_resolved', 'This was resolved already.', {
      resolution: one?.resolution ?? 'redrive',
      resolvedBy: one?.resolvedBy ?? '',
    });
  }
  return { one, settlements };
}

/** An order that was given up may be tried again as long as its hold stands. */
const isOpen = ({ resolution, hold, side }: OperatorCase, next: CaseResolution): boolean =>
  resolution === undefined ||
  (resolution === 'reject' && next === 'redrive' && side !== undefined && hold?.isOpen === true);

/** Intake decides under the deal's lock, so what it may decide at this moment waits for us, and sees what we did. */
async function lockDealOfBytes(tx: Transaction, { rawDigest }: OperatorCase): Promise<void> {
  const raw = rawDigest === undefined ? undefined : await tx.cases.raw(rawDigest);
  const read = raw === undefined ? undefined : readEnvelope(raw.bytes);
  if (read?.ok !== true) return;
  const deal = dealOf(read.identified.envelope.contract);
  await tx.deals.insertMissing([deal]);
  await lockDeal(tx, deal.key);
}

/** What is at stake: the contract's total, as it was signed. Undefined where the bytes do not tell. */
async function amountOf(tx: Transaction, one: OperatorCase): Promise<CaseAmount | undefined> {
  if (one.total !== undefined) return one.total;
  const raw = one.rawDigest === undefined ? undefined : await tx.cases.raw(one.rawDigest);
  const read = raw === undefined ? undefined : readEnvelope(raw.bytes);
  if (read?.ok !== true) return undefined;
  const { total: amount, currency } = read.identified.envelope.contract.terms;
  return { amount, currency };
}

/** A case that is resolved waits for nobody any more. */
async function withdrawPending(tx: Transaction, one: OperatorCase, actor: string): Promise<void> {
  for (const { id, outcome } of await tx.cases.approvals(one.id)) {
    if (outcome === undefined) await tx.cases.decideApproval(id, 'withdrawn', actor);
  }
}

async function pendingApproval(tx: Transaction, id: string): Promise<Approval> {
  const pending = isUuid(id) ? await tx.cases.lockPendingApproval(id) : undefined;
  if (pending !== undefined) return pending;
  throw new OperationRefused('approval_not_found', 'No release waits for approval under this id.');
}

const isUuid = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);

/** Names are told apart as people do: letters' case and outer space make no second person. */
const sameActor = (one: string, other: string): boolean =>
  one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').toLowerCase();
