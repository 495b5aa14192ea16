import type { TransitionTable } from '../transitions.js';

export const DELIVERY_STATES = ['waiting', 'requested', 'superseded'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
export type DeliveryInput = 'request' | 'supersede';

export const deliveryTable: TransitionTable<DeliveryState, DeliveryInput> = {
  name: 'delivery',
  initial: 'waiting',
  transitions: {
    waiting: { request: 'requested', supersede: 'superseded' },
    requested: {},
    superseded: {},
  },
};
