import { createHash } from 'node:crypto';
import { compareDecimals, sumDecimals } from '@v402/domain';
import { contractOf } from '../contract-of.js';
import type { BookedRequest, BookedSettlement } from '../ports/reconciliation-books.js';
import type { Findings } from './report.js';

/**
 * What the database says of a settlement has to fit together, before anything else is asked.
 * @returns false where the stored contract is not the one that was signed: nothing can be compared with it
 */
export function checkSettlement(settlement: BookedSettlement, findings: Findings): boolean {
  const { contractId, canonical, acceptances, total, orders, legs, deliveries, events, sequences } = settlement;
  if (acceptances !== 1) findings.differs('settlement_without_acceptance', contractId, String(acceptances));
  if (createHash('sha256').update(canonical).digest('hex') !== contractId) {
    findings.differs('settlement_contract_differs', contractId);
    return false;
  }
  const { terms } = contractOf(settlement);
  if (compareDecimals(total, terms.total) !== 0) findings.differs('settlement_total_differs', contractId);
  for (const { side } of orders) {
    const sum = sumDecimals(legs.filter((leg) => leg.side === side).map(({ amount }) => amount));
    if (compareDecimals(sum, terms.total) !== 0) findings.differs('legs_total_differs', contractId, side);
  }
  const numbered = events.filter(({ sequence }) => sequence !== undefined).length;
  if (numbered !== sequences)
    findings.differs('event_row_missing', contractId, `${sequences - numbered} of ${sequences}`);
  checkAnnounced(settlement, 'payments', legs, ['payment.requested', 'invoice.requested'], findings);
  checkAnnounced(settlement, 'deliveries', deliveries, ['delivery.requested'], findings);
  const created = orders.filter(({ state }) => state === 'created').length;
  if (countOf(settlement, ['order.created', 'order.changed']) < created)
    findings.differs('order_not_announced', contractId);
  checkWork(settlement, findings);
  return true;
}

const countOf = ({ events }: BookedSettlement, names: readonly string[]): number =>
  events.filter(({ type }) => names.some((name) => type === `org.v402.${name}.v1`)).length;

/** Each attempt of what was asked for is one event. */
function checkAnnounced(
  settlement: BookedSettlement,
  what: string,
  rows: readonly BookedRequest[],
  types: readonly string[],
  findings: Findings,
): void {
  const asked = rows.filter(({ state }) => state === 'requested').reduce((sum, { attempt }) => sum + attempt, 0);
  const earlier = rows.filter(({ state }) => state !== 'requested').reduce((sum, { attempt }) => sum + attempt - 1, 0);
  const announced = countOf(settlement, types);
  if (announced < asked && !settlement.adopter) findings.differs('request_not_announced', settlement.contractId, what);
  if (announced > asked + earlier) findings.differs('requested_too_often', settlement.contractId, what);
}

/** An order that may still be made has work that makes it, unless a person has to decide first. */
function checkWork({ contractId, current, held, orders }: BookedSettlement, findings: Findings): void {
  for (const { side, state, hasWork } of orders) {
    const isOpen = state === 'waiting' || state === 'placing' || state === 'unknown';
    if (isOpen && hasWork) findings.counts.inFlight += 1;
    if (isOpen && !hasWork && current && !held) findings.differs('order_work_missing', contractId, side);
  }
}
