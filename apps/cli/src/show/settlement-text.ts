import type { SettlementView } from '@v402/persistence';
import { list, table } from './table.js';

/** A settlement for a person at a terminal. */
export function settlementText(settlement: SettlementView): string {
  return [
    summary(settlement),
    table(
      'Orders',
      ['side', 'state', 'attempt', 'order system', 'order', 'ordered at', 'code'],
      settlement.orders.map((o) => [o.side, o.state, o.attempt, o.orderSystem, o.orderNumber, o.orderedAt, o.code]),
    ),
    table(
      'Payment legs',
      ['side', 'leg', 'state', 'trigger', 'rail', 'amount', 'due', 'code'],
      settlement.legs.map((leg) => [
        leg.side,
        leg.legId,
        leg.state,
        leg.trigger,
        leg.rail,
        `${leg.amount} ${leg.currency}`,
        leg.dueDate,
        leg.code,
      ]),
    ),
    table(
      'Deliveries',
      ['side', 'delivery', 'state', 'not before', 'not after', 'code'],
      settlement.deliveries.map((d) => [d.side, d.deliveryId, d.state, d.notBefore, d.notAfter, d.code]),
    ),
    table(
      'Holds of the deal',
      ['id', 'reason', 'placed by', 'placed at', 'decided', 'released by', 'released at'],
      settlement.holds.map((h) => [h.id, h.reason, h.placedBy, h.placedAt, h.resolution, h.releasedBy, h.releasedAt]),
    ),
    table(
      'What operators did',
      ['entry', 'at', 'actor', 'login', 'action', 'case', 'reason'],
      settlement.actions.map((a) => [a.sequence, a.at, a.actor, a.login, a.action, a.caseId, a.reason]),
    ),
    table(
      'Decisions',
      ['outcome', 'code', 'message', 'arrival', 'by', 'code version'],
      settlement.decisions.map((d) => [
        d.outcome,
        d.code,
        `${d.topic}/${d.partition}/${d.offset.toString()}`,
        d.arrival,
        d.arrivalSource,
        d.codeVersion,
      ]),
    ),
    table(
      'Events',
      ['time', 'type', 'topic', 'sequence', 'published'],
      settlement.events.map((e) => [e.occurredAt, e.type, e.topic, e.sequence, e.published ? 'yes' : 'not yet']),
    ),
  ].join('');
}

function summary(settlement: SettlementView): string {
  const { deal } = settlement;
  return list([
    ['contractId', settlement.contractId],
    ['shortRef', settlement.shortRef],
    ['state', `${settlement.state}${settlement.current ? '' : ' (no longer the current contract of its deal)'}`],
    ['order reference', settlement.orderReference],
    ['supersedes', settlement.supersedes],
    ['negotiation', deal.negotiationId],
    ['buyer', deal.buyer],
    ['seller', deal.seller],
    ['total', `${settlement.total} ${settlement.currency}`],
    ['agreed at', settlement.agreedAt],
    ['expires at', settlement.expiresAt],
    ['accepted at', settlement.acceptedAt],
    ['duplicates', settlement.duplicates],
  ]);
}
