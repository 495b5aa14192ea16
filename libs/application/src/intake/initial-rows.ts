import {
  deliveryTable,
  orderPlacementTable,
  paymentLegTable,
  type ContractId,
  type SettlementContract,
  type Side,
} from '@v402/domain';
import type { DeliveryRow, OrderPlacement, PaymentLeg } from '../ports/progress-store.js';
import type { NewWork } from '../ports/work-store.js';

/** The rows with which an accepted contract begins, for one side. */
export interface InitialRows {
  readonly order: OrderPlacement;
  readonly legs: readonly PaymentLeg[];
  readonly deliveries: readonly DeliveryRow[];
  readonly work: readonly NewWork[];
}

/**
 * All legs and deliveries exist from the start, `waiting`. Work is only what can begin: the order, and the legs that the
 * agreement itself triggers; the order's creation adds the rest.
 */
export function initialRows(contractId: ContractId, contract: SettlementContract, side: Side): InitialRows {
  const { currency, payment, delivery } = contract.terms;
  const legs = payment.schedule.map((leg, index) => ({
    contractId,
    side,
    legId: leg.id,
    number: index + 1,
    state: paymentLegTable.initial,
    attempt: 1,
    trigger: leg.trigger,
    days: leg.days,
    rail: leg.rail,
    amount: leg.amount,
    currency,
    triggeredAt: undefined,
    dueDate: undefined,
    code: undefined,
  }));
  const deliveries = delivery.schedule.map((agreed, index) => ({
    contractId,
    side,
    deliveryId: agreed.id,
    number: index + 1,
    state: deliveryTable.initial,
    attempt: 1,
    notBefore: agreed.notBefore,
    notAfter: agreed.notAfter,
    code: undefined,
  }));
  const atOnce = { contractId, side, dueAt: undefined } as const;
  return {
    order: initialOrder(contractId, side),
    legs,
    deliveries,
    work: [
      { ...atOnce, kind: 'order', subjectId: '' },
      ...legs
        .filter((leg) => leg.trigger === 'agreed')
        .map((leg) => ({ ...atOnce, kind: 'payment_leg' as const, subjectId: leg.legId })),
    ],
  };
}

function initialOrder(contractId: ContractId, side: Side): OrderPlacement {
  return {
    contractId,
    side,
    state: orderPlacementTable.initial,
    attempt: 0,
    unknowns: 0,
    lookUpNotBefore: undefined,
    orderSystem: undefined,
    orderNumber: undefined,
    orderUrl: undefined,
    code: undefined,
    orderedAt: undefined,
    redrives: 0,
    unknownsBefore: 0,
    adoptedFrom: undefined,
  };
}
