import type { EventNaming } from '../events/settlement-stream.js';
import type { AcceptContractsHandler } from '../intake/accept-contracts.handler.js';
import type { DeliveryLead } from '../orders/work-after-order.js';
import type { AuditAction, AuditEntry } from '../ports/audit-store.js';
import type { CaseResolution, OperatorCase } from '../ports/case-store.js';
import type { FaultPoint, Ids } from '../ports/seams.js';
import type { AcceptedContract } from '../ports/settlement-store.js';
import type { Transaction, UnitOfWork } from '../ports/unit-of-work.js';
import { totalOverLimit, type ApprovalLimits } from './approval-policy.js';
import { pendingApproval, requestApproval, requireSecondPerson, withdrawPending, type Wanted } from './approvals.js';
import { appendAudit } from './audit-trail.js';
import { findCase, findForRedrive } from './find-case.js';
import { OperationRefused } from './operation-refused.js';
import { checkRequest, type OperatorRequest } from './operator-request.js';
import { requireSameNames } from './require-same-names.js';
import { redriveAction, rejectAction, releaseAction } from './actions.js';
import { lockDeal, type Changes, type LockedCase, type Prepared } from './resolution.js';
import { lockDealOfBytes } from './resolve-undecidable.js';
import { whatGoesOn } from './what-goes-on.js';

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
  /** What a second person is asked for where it lets something over the limit go on; undefined: this is the second person. */
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
        approval: { action: 'reject', orderChanged: false },
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
      return this.#act(tx, await findForRedrive(tx, id), {
        name: 'redrive',
        audited: 'redrive',
        request: checked,
        prepare: redriveAction,
        approval: { action: 'redrive', orderChanged: false },
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
        details: { approval: pending.id, approved: pending.action, requestedBy: pending.requestedBy },
        prepare: async (locked) => {
          // Under the case's lock no request changes: this one may have been withdrawn while we waited.
          const wanted = await pendingApproval(tx, pending.id);
          const { letsGoOn, perform } = await prepareWanted(locked, wanted);
          return {
            letsGoOn,
            perform: async () => {
              await tx.cases.decideApproval(wanted.id, 'approved', request.actor);
              return perform();
            },
          };
        },
      });
    });
  }

  async #act(tx: Transaction, found: OperatorCase, action: Action): Promise<Resolved> {
    const { ids, faults, approvalOver, intake, naming, deliveryLead } = this.context;
    const { actor } = action.request;
    const { one, settlements } = await lockCase(tx, found, action.name);
    await requireSameNames(tx, naming, one);
    const locked = { tx, one, settlements, actor, naming, deliveryLead, intake };
    const { letsGoOn, perform } = await action.prepare(locked);
    const { approval: wanted } = action;
    if (letsGoOn && wanted !== undefined) {
      const over = totalOverLimit(approvalOver, await whatGoesOn(locked, action.name));
      if (over !== undefined) return this.#ask(tx, action.request, { id: ids.next(), one, wanted, ...over });
    }
    const changes = await perform();
    const withdrawn = await withdrawPending(tx, one, actor);
    const details = { ...action.details, ...changes, ...withdrawn };
    const audit = await this.#record(tx, one, action.audited, action.request, details);
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

function prepareWanted(locked: LockedCase, { action, orderChanged }: Wanted): Promise<Prepared> | Prepared {
  switch (action) {
    case 'release':
      return releaseAction(locked, orderChanged);
    case 'reject':
      return rejectAction(locked);
    case 'redrive':
      return redriveAction(locked);
  }
}
