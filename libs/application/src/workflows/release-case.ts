import { TerminalError, type SettlementContract } from '@v402/domain';
import { contractOf } from '../contract-of.js';
import { SettlementStream, type EventNaming } from '../events/settlement-stream.js';
import { orderKindOf } from '../ports/order-system.js';
import type { DeliveryRow, OrderPlacement, PaymentLeg } from '../ports/progress-store.js';
import type { SettlementRecord } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import type { Micros } from '@v402/domain';

/** A locked settlement with everything that a release of its legs and deliveries needs. */
export interface ReleaseCase {
  readonly settlement: SettlementRecord;
  readonly contract: SettlementContract;
  readonly stream: SettlementStream;
  readonly orders: readonly OrderPlacement[];
  readonly legs: Map<string, PaymentLeg>;
  readonly deliveries: Map<string, DeliveryRow>;
}

/** Names a row of a settlement: its side and its id in the contract. */
export const rowKey = (side: string, id: string): string => `${side}:${id}`;

export async function readReleaseCases(
  tx: Transaction,
  settlements: readonly SettlementRecord[],
  naming: EventNaming,
  now: Micros,
): Promise<ReadonlyMap<string, ReleaseCase>> {
  const ids = settlements.map(({ contractId }) => contractId);
  const orders = Map.groupBy(await tx.orders.ofSettlements(ids), (row) => row.contractId);
  const legs = Map.groupBy(await tx.legs.ofSettlements(ids), (row) => row.contractId);
  const deliveries = Map.groupBy(await tx.deliveries.ofSettlements(ids), (row) => row.contractId);
  return new Map(
    settlements.map((settlement) => {
      const { contractId, traceparent, position } = settlement;
      const contract = contractOf(settlement);
      const { negotiationId } = contract;
      return [
        contractId,
        {
          settlement,
          contract,
          stream: new SettlementStream(naming, { contractId, negotiationId, traceparent, position }, now),
          orders: orders.get(contractId) ?? [],
          legs: new Map((legs.get(contractId) ?? []).map((row) => [rowKey(row.side, row.legId), row])),
          deliveries: new Map((deliveries.get(contractId) ?? []).map((row) => [rowKey(row.side, row.deliveryId), row])),
        },
      ];
    }),
  );
}

/** @throws TerminalError `row_missing`: work refers to rows that exist, whatever happens */
export function required<T>(row: T | undefined): T {
  if (row === undefined)
    throw new TerminalError('row_missing', 'Work refers to a settlement, leg or delivery that exists.');
  return row;
}

/** The order of this side, if it exists yet: a leg that the agreement triggers need not wait for it. */
export function orderReference(
  { orders, settlement }: Pick<ReleaseCase, 'orders' | 'settlement'>,
  side: OrderPlacement['side'],
): { orderReference?: { orderSystem: string; reference: string; orderNumber: string } } {
  const order = orders.find((each) => each.side === side);
  if (order?.orderNumber === undefined || order.orderSystem === undefined) return {};
  const { orderSystem, orderNumber } = order;
  return { orderReference: { orderSystem, reference: settlement.orderReference, orderNumber } };
}

/** The id of the event that told of this side's order: created for this contract, or taken over from the one before. */
export function orderEventId({ orders, stream }: ReleaseCase, side: OrderPlacement['side']): string {
  const isAdopted = orders.find((each) => each.side === side)?.adoptedFrom !== undefined;
  const type = isAdopted ? 'org.v402.order.changed.v1' : 'org.v402.order.created.v1';
  return stream.idOf(type, { side, subjectId: orderKindOf(side), n: 1 });
}
