import { orderPlacementTable, transition, type AgreedLeg } from '@v402/domain';
import { daysBefore } from '../days-before.js';
import type { DeliveryLead } from '../orders/work-after-order.js';
import type { DeliveryRow, OrderPlacement, PaymentLeg } from '../ports/progress-store.js';
import type { NewWork } from '../ports/work-store.js';
import { adoptDeliveries } from './adopt-deliveries.js';
import { adoptLegs } from './adopt-legs.js';
import type { ChainMember } from './chain-member.js';

/** What becomes of an amendment's rows when it takes the place of contracts that have begun. */
export interface Adoption {
  /** Orders that the amendment takes over, as an operator says that they were changed. */
  readonly orders: readonly OrderPlacement[];
  /** Rows that were asked for before, or that must not be asked for. Those left out wait for their work as usual. */
  readonly legs: readonly PaymentLeg[];
  readonly deliveries: readonly DeliveryRow[];
  readonly work: readonly NewWork[];
}

/** @param earlier every other contract of the deal */
export function adoptEarlier(amendment: ChainMember, earlier: readonly ChainMember[], lead: DeliveryLead): Adoption {
  const parts = amendment.orders.map((order) => adoptSide(order, amendment, earlier, lead));
  return {
    orders: parts.flatMap(({ orders }) => orders),
    legs: parts.flatMap(({ legs }) => legs),
    deliveries: parts.flatMap(({ deliveries }) => deliveries),
    work: parts.flatMap(({ work }) => work),
  };
}

function adoptSide(
  order: OrderPlacement,
  amendment: ChainMember,
  earlier: readonly ChainMember[],
  lead: DeliveryLead,
): Adoption {
  const { side, contractId } = order;
  const created = earlier.flatMap(({ orders }) => orders).find((row) => row.side === side && row.state === 'created');
  const legs = adoptLegs(amendment, earlier, side);
  const deliveries = adoptDeliveries(amendment, earlier, side);
  const { payment, delivery } = amendment.contract.terms;
  const work = payment.schedule
    .filter((leg) => hasFired(leg, created !== undefined) && !legs.some(({ legId }) => legId === leg.id))
    .map(({ id }): NewWork => ({ kind: 'payment_leg', contractId, side, subjectId: id, dueAt: undefined }));
  if (created === undefined) {
    // The order's creation adds the rest.
    work.push({ kind: 'order', contractId, side, subjectId: '', dueAt: undefined });
    return { orders: [], legs, deliveries, work };
  }
  for (const { id, notBefore } of delivery.schedule) {
    if (deliveries.some(({ deliveryId }) => deliveryId === id)) continue;
    work.push({ kind: 'delivery', contractId, side, subjectId: id, dueAt: daysBefore(notBefore, lead.days) });
  }
  return { orders: [adoptOrder(order, created)], legs, deliveries, work };
}

const hasFired = ({ trigger }: AgreedLeg, isOrdered: boolean): boolean =>
  trigger === 'agreed' || (trigger === 'ordered' && isOrdered);

function adoptOrder(order: OrderPlacement, created: OrderPlacement): OrderPlacement {
  const { orderSystem, orderNumber, orderUrl, orderedAt } = created;
  return {
    ...order,
    state: transition(orderPlacementTable, order.state, 'adopt'),
    orderSystem,
    orderNumber,
    orderUrl,
    orderedAt,
    adoptedFrom: created.adoptedFrom ?? created.contractId,
  };
}
