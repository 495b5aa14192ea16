import type { TransitionTable } from '../transitions.js';

export const DELIVERY_STATES = [
  'waiting',
  'blocked', // an earlier contract of the chain has asked for something else: a person has to act
  'requested',
  'superseded',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
export type DeliveryInput =
  | 'request'
  | 'adopt' // an earlier contract of the chain has asked for the very same
  | 'block'
  | 'supersede';

export const deliveryTable: TransitionTable<DeliveryState, DeliveryInput> = {
  name: 'delivery',
  initial: 'waiting',
  transitions: {
    waiting: { request: 'requested', adopt: 'requested', block: 'blocked', supersede: 'superseded' },
    blocked: { supersede: 'superseded' },
    requested: {},
    superseded: {},
  },
};
