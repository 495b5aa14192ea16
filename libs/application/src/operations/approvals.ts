import type { Approval, CaseAmount, OperatorCase } from '../ports/case-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import { isUuid } from '../uuid.js';
import { OperationRefused } from './operation-refused.js';
import type { OperatorRequest } from './operator-request.js';
import type { Changes } from './resolution.js';

/** What a second person is asked to have done, word for word. */
export type Wanted = Pick<Approval, 'action' | 'orderChanged'>;

/**
 * Writes a request for a second person down, under the case's lock. One that asks for something else takes the place of
 * the one that waits: whoever has asked for the wrong thing can ask again.
 * @returns what the audit trail says of it
 * @throws OperationRefused `approval_pending` where the same is asked for already
 */
export async function requestApproval(
  tx: Transaction,
  request: OperatorRequest,
  asked: {
    readonly id: string;
    readonly one: OperatorCase;
    readonly wanted: Wanted;
    readonly total: CaseAmount | undefined;
  },
): Promise<Changes> {
  const { id, one, wanted, total } = asked;
  const earlier = await pendingOf(tx, one);
  if (earlier !== undefined) {
    const { action, orderChanged, requestedBy } = earlier;
    if (action === wanted.action && orderChanged === wanted.orderChanged) {
      const message = 'This waits for a second person already: v402 quarantine approve.';
      throw new OperationRefused('approval_pending', message, { approval: earlier.id, requestedBy });
    }
    await tx.cases.decideApproval(earlier.id, 'withdrawn', request.actor);
  }
  const { actor: requestedBy, reason } = request;
  await tx.cases.requestApproval({ id, caseId: one.id, ...wanted, total, requestedBy, reason });
  return {
    approval: id,
    asked: wanted.action,
    amount: total === undefined ? 'unknown' : `${total.amount} ${total.currency}`,
    ...(earlier !== undefined && { withdrawn: earlier.id }),
  };
}

/**
 * A case that is resolved waits for nobody any more.
 * @returns what the audit trail says of it
 */
export async function withdrawPending(tx: Transaction, one: OperatorCase, actor: string): Promise<Changes> {
  const pending = await pendingOf(tx, one);
  if (pending === undefined) return {};
  await tx.cases.decideApproval(pending.id, 'withdrawn', actor);
  return { withdrawn: pending.id };
}

/**
 * @param id of the request or of its case
 * @throws OperationRefused `approval_not_found`
 */
export async function pendingApproval(tx: Transaction, id: string): Promise<Approval> {
  const pending = isUuid(id) ? await tx.cases.pendingApproval(id) : undefined;
  if (pending !== undefined) return pending;
  throw new OperationRefused('approval_not_found', 'Nothing waits for approval under this id.');
}

/**
 * Whoever approves is another person by the database's login, which nobody can choose, and says so.
 * @throws OperationRefused `same_person`
 */
export async function requireSecondPerson(tx: Transaction, pending: Approval, actor: string): Promise<void> {
  const login = await tx.audit.login();
  if (login !== pending.requestedLogin && !isSameName(actor, pending.requestedBy)) return;
  throw new OperationRefused(
    'same_person',
    'To let go on what is over the limit takes a second person, with a name and a database login of their own.',
    { login, requestedLogin: pending.requestedLogin, requestedBy: pending.requestedBy },
  );
}

const pendingOf = async (tx: Transaction, { id }: OperatorCase): Promise<Approval | undefined> =>
  (await tx.cases.approvals(id)).find(({ outcome }) => outcome === undefined);

/** Names are told apart as people do: letters' case and outer space make no second person. */
const isSameName = (one: string, other: string): boolean =>
  one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').toLowerCase();
