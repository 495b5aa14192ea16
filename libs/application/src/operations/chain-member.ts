import type { SettlementContract, Side } from '@v402/domain';
import type { DeliveryRow, OrderPlacement, PaymentLeg } from '../ports/progress-store.js';

/** A contract of a deal's chain with what has become of it. */
export interface ChainMember {
  readonly contract: SettlementContract;
  readonly orders: readonly OrderPlacement[];
  readonly legs: readonly PaymentLeg[];
  readonly deliveries: readonly DeliveryRow[];
}

/**
 * Why a leg or delivery of an amendment is not asked for. What was asked for before counts as asked for, so that nothing
 * is asked for twice, and never more in sum than the amendment says.
 */
export type AdoptionBlock =
  'differs_from_request' | 'currency_differs_from_request' | 'exceeds_total' | 'exceeds_quantity';

/** Rows that the chain's other contracts have asked for, one per id: a row that was adopted stands for the same request. */
export function askedFor<Row extends { readonly side: Side; readonly state: string }>(
  rows: readonly Row[],
  side: Side,
  idOf: (row: Row) => string,
): ReadonlyMap<string, Row> {
  const asked = rows.filter((row) => row.side === side && row.state === 'requested');
  return new Map(asked.map((row) => [idOf(row), row]));
}
