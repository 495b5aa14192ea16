import {
  dateOf,
  instantOfMicros,
  paymentLegTable,
  toUnixSeconds,
  transition,
  type AgreedLeg,
  type Instant,
  type Micros,
  type Rail,
} from '@v402/domain';
import { endToEndId, idempotencyKey, type DataOf } from '@v402/events';
import { settlementMembers } from '../events/members.js';
import type { EventSubject } from '../events/settlement-stream.js';
import { BANK_RAILS, type PaymentAccounts } from '../ports/payment-accounts.js';
import type { PaymentLeg } from '../ports/progress-store.js';
import { dueDateOf, requestTime } from './due-date.js';
import { orderEventId, orderReference, required, type ReleaseCase } from './release-case.js';
import type { Released } from './released.js';

export interface LegPolicy {
  readonly accounts: PaymentAccounts;
  /** Days before the due date on which a rail has to be told. */
  readonly leadDays: Readonly<Record<Rail, number>>;
}

/** Why a leg is blocked that goes on by itself when the account is there. */
export const ACCOUNT_MISSING = 'creditor_account_missing';

type LegMembers = DataOf<'org.v402.payment.scheduled.v1'>;

/**
 * Moves a leg on whose trigger has fired: schedules it, and asks for the payment once it is due. Emits only from a state
 * in which it has not been asked for, so nothing is asked for twice.
 */
export function releaseLeg(
  release: ReleaseCase,
  row: PaymentLeg,
  policy: LegPolicy,
  now: Micros,
): Released<PaymentLeg> {
  if (row.state === 'requested' || row.state === 'superseded' || isStopped(row)) return { row, next: 'done' };
  const scheduled = row.state === 'waiting' ? schedule(release, row) : row;
  if (isInvoice(scheduled)) return { row: requestInvoice(release, scheduled), next: 'done' };
  const requestAt = requestTime(required(scheduled.dueDate), policy.leadDays[scheduled.rail]);
  if (requestAt > now) return { row: scheduled, next: requestAt };
  return request(release, scheduled, policy, now);
}

/** An account may be added later; an amendment that differs from what was asked for is for people to settle. */
const isStopped = ({ state, code }: PaymentLeg): boolean => state === 'blocked' && code !== ACCOUNT_MISSING;

/** The seller's invoice has to go out when its trigger fires: waiting for the due date would make the buyer late. */
const isInvoice = ({ rail, side }: PaymentLeg): boolean => rail === 'invoice' && side === 'seller';

function schedule(release: ReleaseCase, row: PaymentLeg): PaymentLeg {
  const { at, micros } = triggered(release, row);
  const leg: PaymentLeg = {
    ...row,
    state: transition(paymentLegTable, row.state, 'schedule'),
    triggeredAt: micros,
    dueDate: dueDateOf(at, row.days),
  };
  const { side, legId } = leg;
  const subject = { side, subjectId: legId, n: 1, causedBy: triggerId(release, row) };
  release.stream.append('org.v402.payment.scheduled.v1', subject, legMembers(release, leg));
  return leg;
}

/** When the leg's trigger fired. `shipped` and `delivered` fire by feedback, so no work exists for them before it. */
function triggered({ contract, orders }: ReleaseCase, row: PaymentLeg): { at: Instant; micros: Micros } {
  if (row.trigger === 'agreed') {
    return { at: contract.agreedAt, micros: BigInt(toUnixSeconds(contract.agreedAt)) * 1_000_000n };
  }
  const micros = required(orders.find(({ side }) => side === row.side)?.orderedAt);
  return { at: instantOfMicros(micros), micros };
}

/** The id of the event that fired the leg's trigger. */
function triggerId(release: ReleaseCase, { trigger, side, contractId }: PaymentLeg): string {
  return trigger === 'agreed'
    ? release.stream.idOf('org.v402.settlement.accepted.v1', { subjectId: contractId, n: 1 })
    : orderEventId(release, side);
}

/** What a request is about; its schedule caused it. */
function requestSubject({ stream }: ReleaseCase, { side, legId, attempt }: PaymentLeg): EventSubject {
  const causedBy = stream.idOf('org.v402.payment.scheduled.v1', { side, subjectId: legId, n: 1 });
  return { side, subjectId: legId, n: attempt, causedBy };
}

function request(release: ReleaseCase, leg: PaymentLeg, { accounts }: LegPolicy, now: Micros): Released<PaymentLeg> {
  const { contract, stream } = release;
  const { buyer, seller } = contract.parties;
  const needsAccount = leg.side === 'buyer' && BANK_RAILS.has(leg.rail);
  const account = needsAccount ? accounts.approved(seller.id, leg.rail, leg.currency) : undefined;
  if (needsAccount && account === undefined) {
    if (leg.state === 'blocked') return { row: leg, next: 'blocked' };
    const state = transition(paymentLegTable, leg.state, 'block');
    return { row: { ...leg, state, code: ACCOUNT_MISSING }, next: 'blocked' };
  }
  const members = legMembers(release, leg);
  const today = dateOf(instantOfMicros(now));
  const reference = endToEndId(release.settlement.shortRef, leg.number, leg.attempt);
  const { x402 } = agreedLeg(release, leg);
  stream.append('org.v402.payment.requested.v1', requestSubject(release, leg), {
    ...members,
    attempt: leg.attempt,
    endToEndId: reference,
    instructedAmount: members.amount,
    // No rail executes in the past.
    requestedExecutionDate: members.dueDate < today ? today : members.dueDate,
    debtor: buyer,
    creditor: { ...seller, ...(account !== undefined && { account }) },
    remittanceInformation: reference,
    ...(x402 !== undefined && { x402 }),
    ...orderReference(release, leg.side),
    idempotencyKey: paymentKey(leg, 'payment'),
  });
  return { row: { ...leg, state: transition(paymentLegTable, leg.state, 'request'), code: undefined }, next: 'done' };
}

function requestInvoice(release: ReleaseCase, leg: PaymentLeg): PaymentLeg {
  const { settlement, contract, stream } = release;
  const { lines, charges } = contract.terms;
  stream.append('org.v402.invoice.requested.v1', requestSubject(release, leg), {
    ...legMembers(release, leg),
    side: 'seller',
    role: 'payee',
    rail: 'invoice',
    attempt: leg.attempt,
    invoiceReference: endToEndId(settlement.shortRef, leg.number, leg.attempt),
    lines,
    ...(charges !== undefined && { charges }),
    ...orderReference(release, leg.side),
    idempotencyKey: paymentKey(leg, 'invoice'),
  });
  return { ...leg, state: transition(paymentLegTable, leg.state, 'request') };
}

function legMembers(release: ReleaseCase, leg: PaymentLeg): LegMembers {
  const { settlement, contract } = release;
  return {
    ...settlementMembers(settlement, contract),
    side: leg.side,
    role: leg.side === 'buyer' ? 'payer' : 'payee',
    legId: leg.legId,
    legNumber: leg.number,
    amount: { amount: agreedLeg(release, leg).amount, currency: leg.currency },
    rail: leg.rail,
    trigger: { kind: leg.trigger, days: leg.days, firedAt: triggered(release, leg).at },
    dueDate: required(leg.dueDate),
  };
}

/** The leg as it was signed: amounts go out as the parties wrote them. */
function agreedLeg({ contract }: ReleaseCase, { legId }: PaymentLeg): AgreedLeg {
  return required(contract.terms.payment.schedule.find(({ id }) => id === legId));
}

function paymentKey({ side, contractId, legId, attempt }: PaymentLeg, work: 'payment' | 'invoice'): string {
  return idempotencyKey({ work, side, contractId, id: legId, attempt });
}
