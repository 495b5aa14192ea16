import type { TransitionTable } from '../transitions.js';

export const PAYMENT_LEG_STATES = [
  'waiting', // its trigger has not fired
  'scheduled', // the due date is known
  'blocked', // due, but something that only a person can add is missing, such as the creditor's account
  'requested',
  'superseded',
] as const;
export type PaymentLegState = (typeof PAYMENT_LEG_STATES)[number];
export type PaymentLegInput = 'schedule' | 'block' | 'request' | 'supersede';

export const paymentLegTable: TransitionTable<PaymentLegState, PaymentLegInput> = {
  name: 'payment_leg',
  initial: 'waiting',
  transitions: {
    waiting: { schedule: 'scheduled', supersede: 'superseded' },
    scheduled: { request: 'requested', block: 'blocked', supersede: 'superseded' },
    blocked: { request: 'requested', block: 'blocked', supersede: 'superseded' },
    requested: {},
    superseded: {},
  },
};
