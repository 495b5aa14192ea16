import { deliveryTable, transition, type SettlementContract } from '@v402/domain';
import { idempotencyKey, type DataOf } from '@v402/events';
import { settlementMembers } from '../events/members.js';
import type { DeliveryRow } from '../ports/progress-store.js';
import { orderEventId, orderReference, required, type ReleaseCase } from './release-case.js';
import type { Released } from './released.js';

type Items = DataOf<'org.v402.delivery.requested.v1'>['items'];

/** Asks for a delivery whose order exists. Emits only from `waiting`, so nothing is asked for twice. */
export function releaseDelivery(release: ReleaseCase, row: DeliveryRow): Released<DeliveryRow> {
  if (row.state !== 'waiting') return { row, next: 'done' };
  const { settlement, contract, stream } = release;
  const { shipTo, incoterm, place } = contract.terms.delivery;
  const { side, contractId, deliveryId, attempt } = row;
  const causedBy = orderEventId(release, side);
  stream.append(
    'org.v402.delivery.requested.v1',
    { side, subjectId: deliveryId, n: attempt, causedBy },
    {
      ...settlementMembers(settlement, contract),
      side,
      role: side === 'seller' ? 'shipper' : 'receiver',
      deliveryId,
      deliveryNumber: row.number,
      attempt,
      items: itemsOf(contract, deliveryId),
      window: { notBefore: row.notBefore, notAfter: row.notAfter },
      ...(shipTo !== undefined && { shipTo }),
      ...(incoterm !== undefined && { incoterm }),
      ...(place !== undefined && { place }),
      orderReference: required(orderReference(release, side).orderReference),
      idempotencyKey: idempotencyKey({ work: 'delivery', side, contractId, id: deliveryId, attempt }),
    },
  );
  return { row: { ...row, state: transition(deliveryTable, row.state, 'request') }, next: 'done' };
}

function itemsOf({ terms }: SettlementContract, deliveryId: string): Items {
  const { items } = required(terms.delivery.schedule.find(({ id }) => id === deliveryId));
  return items.map(({ line, quantity }) => {
    const { sku, description, unit } = required(terms.lines.find(({ id }) => id === line));
    return { line, sku, ...(description !== undefined && { description }), quantity, unit };
  });
}
