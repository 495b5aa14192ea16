import { readEnvelope } from '@v402/contract';
import type { EventNaming } from '../events/settlement-stream.js';
import type { AcceptContractsHandler } from '../intake/accept-contracts.handler.js';
import type { DeliveryLead } from '../orders/work-after-order.js';
import type { AuditAction, AuditEntry } from '../ports/audit-store.js';
import type { CaseAmount, CaseResolution, OperatorCase } from '../ports/case-store.js';
import type { FaultPoint, Ids } from '../ports/seams.js';
import type { AcceptedContract } from '../ports/settlement-store.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';
import { needsApproval, type ApprovalLimits } from './approval-policy.js';
import { pendingApproval, requestApproval, requireSecondPerson, withdrawPending, type Wanted } from './approvals.js';
import { appendAudit } from './audit-trail.js';
import { findCase, findForRedrive } from './find-case.js';
import { OperationRefused } from './operation-refused.js';
import { checkRequest, type OperatorRequest } from './operator-request.js';
import { redriveAction, rejectAction, releaseAction } from './actions.js';
import { lockDeal, type Changes, type LockedCase, type Prepared } from './resolution.js';
import { lockDealOfBytes } from './resolve-undecidable.js';

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
  /** Checks whether it can be done. Nobody is asked to approve what cannot. */
  readonly prepare: (locked: LockedCase) => Promise<Prepared> | Prepared;
  /** Undefined: no second person is asked. */
  readonly approval?: Wanted;
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
        prepare: (locked) => releaseAction(locked, orderChanged),
        approval: { action: 'release', orderChanged },
      }),
    );
  }

  /** What was held, or set aside, does not stand. @throws OperationRefused where that cannot be */
  async reject(id: string, request: OperatorRequest): Promise<Resolved> {
    const checked = checkRequest(request);
    return this.unitOfWork.run(async (tx) =>
      this.#act(tx, await findCase(tx, id), {
        name: 'reject',
        audited: 'reject',
        request: checked,
        prepare: rejectAction,
      }),
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
        prepare: redriveAction,
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
      await requireSecondPerson(tx, pending, request.actor);
      return this.#act(tx, one, {
        name: pending.action,
        audited: 'approve_release',
        request,
        details: { approval: pending.id, requestedBy: pending.requestedBy },
        prepare: async (locked) => {
          // Under the case's lock no request changes: this one may have been withdrawn while we waited.
          const { id: approved, action, orderChanged } = await pendingApproval(tx, pending.id);
          const perform = await (action === 'release' ? releaseAction(locked, orderChanged) : redriveAction(locked));
          return async () => {
            await tx.cases.decideApproval(approved, 'approved', request.actor);
            return perform();
          };
        },
      });
    });
  }

  async #act(tx: Transaction, found: OperatorCase, action: Action): Promise<Resolved> {
    const { ids, faults, approvalOver, intake, naming, deliveryLead } = this.context;
    const { actor } = action.request;
    const { one, settlements } = await lockCase(tx, found, action.name);
    const perform = await action.prepare({ tx, one, settlements, actor, naming, deliveryLead, intake });
    const { approval: wanted } = action;
    if (wanted !== undefined) {
      const total = await amountOf(tx, one);
      if (needsApproval(approvalOver, total))
        return this.#ask(tx, action.request, { id: ids.next(), one, wanted, total });
    }
    const changes = await perform();
    await withdrawPending(tx, one, actor);
    const audit = await this.#record(tx, one, action.audited, action.request, { ...action.details, ...changes });
    await faults.reach('C9');
    return { outcome: 'done', caseId: one.id, changes, audit };
  }

  async #ask(
    tx: Transaction,
    request: OperatorRequest,
    asked: Parameters<typeof requestApproval>[2],
  ): Promise<Resolved> {
    const { one, id: approvalId } = asked;
    const details = await requestApproval(tx, request, asked);
    const audit = await this.#record(tx, one, 'request_release', request, details);
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
  // What is closed is not decided: the lock of the case alone keeps intake out, and no deal has to be there for it.
  if (found.reason === 'undecidable_message' && resolution !== 'reject') await lockDealOfBytes(tx, found);
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

/** What is at stake: the contract's total, as it was signed. Undefined where the bytes do not tell. */
async function amountOf(tx: Transaction, one: OperatorCase): Promise<CaseAmount | undefined> {
  if (one.total !== undefined) return one.total;
  const raw = one.rawDigest === undefined ? undefined : await tx.cases.raw(one.rawDigest);
  const read = raw === undefined ? undefined : readEnvelope(raw.bytes);
  if (read?.ok !== true) return undefined;
  const { total: amount, currency } = read.identified.envelope.contract.terms;
  return { amount, currency };
}
