import type { TransitionTable } from '../transitions.js';

export const PAYMENT_LEG_STATES = [
  'waiting', // its trigger has not fired
  'scheduled', // the due date is known
  'blocked', // a person has to act: the creditor's account is missing, or an earlier contract has asked for another amount
  'requested',
  'superseded',
] as const;
export type PaymentLegState = (typeof PAYMENT_LEG_STATES)[number];
export type PaymentLegInput =
  | 'schedule'
  | 'block'
  | 'request'
  | 'adopt' // an earlier contract of the chain has asked for the very same
  | 'supersede';

export const paymentLegTable: TransitionTable<PaymentLegState, PaymentLegInput> = {
  name: 'payment_leg',
  initial: 'waiting',
  transitions: {
    waiting: { schedule: 'scheduled', adopt: 'requested', block: 'blocked', supersede: 'superseded' },
    scheduled: { request: 'requested', block: 'blocked', supersede: 'superseded' },
    blocked: { request: 'requested', block: 'blocked', supersede: 'superseded' },
    requested: {},
    superseded: {},
  },
};
