import type { Figures } from '@v402/persistence';
import { list, table } from './table.js';

type Counts = Figures['settlementsByState'];

/** The overview for a person at a terminal. */
export function figuresText(figures: Figures): string {
  const repeated = figures.rejectedMessagesByCode;
  return [
    list([
      ['duplicates', figures.duplicates],
      ['unpublished events', figures.unpublishedEvents],
      ['parked streams', figures.parkedStreams],
    ]),
    counted('Settlements', 'state', figures.settlementsByState),
    counted('Orders', 'state', figures.ordersByState),
    counted('Payment legs', 'state', figures.legsByState),
    counted('Deliveries', 'state', figures.deliveriesByState),
    counted('Decisions', 'outcome', figures.decisionsByOutcome),
    table(
      'Refusals',
      ['code', 'different messages', 'messages'],
      Object.entries(figures.rejectionsByCode).map(([code, count]) => [code, count, repeated[code]]),
    ),
    counted('Quarantine', 'reason', figures.quarantinedByReason),
    counted('Open holds', 'reason', figures.openHoldsByReason),
  ].join('');
}

function counted(title: string, name: string, counts: Counts): string {
  return table(title, [name, 'count'], Object.entries(counts));
}
