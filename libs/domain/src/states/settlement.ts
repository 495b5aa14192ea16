import type { DeliveryState } from './delivery.js';
import type { OrderPlacementState } from './order-placement.js';
import type { PaymentLegState } from './payment-leg.js';

export const SETTLEMENT_STATES = [
  'accepted',
  'ordering',
  'order_unknown',
  'order_rejected',
  'ordered',
  'fulfilling',
  'superseded',
] as const;
export type SettlementState = (typeof SETTLEMENT_STATES)[number];

/** The facts of one settlement; its state is nothing but a function of them. */
export interface SettlementFacts {
  readonly orders: readonly OrderPlacementState[];
  readonly legs: readonly PaymentLegState[];
  readonly deliveries: readonly DeliveryState[];
}

/** The lifecycle as people see it, derived: it is stored for queries and never decides anything. */
export function settlementState(facts: SettlementFacts): SettlementState {
  const { orders } = facts;
  if (orders.every((state) => state === 'superseded')) return 'superseded';
  if (orders.includes('rejected')) return 'order_rejected';
  if (orders.some((state) => state === 'unknown' || state === 'unresolved' || state === 'mismatched')) {
    return 'order_unknown';
  }
  if (orders.every((state) => state === 'created')) return hasRequested(facts) ? 'fulfilling' : 'ordered';
  if (orders.some((state) => state === 'placing' || state === 'created')) return 'ordering';
  return 'accepted';
}

/**
 * Whether anything has passed its point of no return: an order intent was recorded once, or a payment or delivery was
 * asked for. An amendment can replace its base only while this is false. An order whose attempt was cleared, because it
 * is proven to have written nothing, is `waiting` again and does not count.
 */
export function hasStarted(facts: SettlementFacts): boolean {
  return facts.orders.some((state) => state !== 'waiting' && state !== 'superseded') || hasRequested(facts);
}

function hasRequested({ legs, deliveries }: SettlementFacts): boolean {
  return legs.includes('requested') || deliveries.includes('requested');
}
