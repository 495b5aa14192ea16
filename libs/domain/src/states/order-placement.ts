import type { TransitionTable } from '../transitions.js';

export const ORDER_PLACEMENT_STATES = [
  'waiting', // nothing was sent, or what was sent is proven to have written nothing
  'placing', // the intent is recorded: from here on the order may exist
  'created',
  'rejected', // the order system will not take it: nothing was written; a person decides
  'unknown', // it may or may not exist; a look-up will tell
  'unresolved', // the look-up found none, and the order system could not refuse a second one; a person decides
  'mismatched', // an order with our reference exists and differs from the contract; a person decides
  'superseded',
] as const;
export type OrderPlacementState = (typeof ORDER_PLACEMENT_STATES)[number];

export type OrderPlacementInput =
  | 'intend'
  | 'confirm'
  | 'reject'
  | 'clear' // proven that nothing was written
  | 'lose' // the answer is lost
  | 'give_up'
  | 'differ'
  | 'retry' // an operator: nothing was written, so it may be asked for again
  | 'look_again' // an operator: it may exist by now, or differ no more
  | 'adopt' // an operator: the order of the contract that this one amends stands for it
  | 'supersede';

export const orderPlacementTable: TransitionTable<OrderPlacementState, OrderPlacementInput> = {
  name: 'order_placement',
  initial: 'waiting',
  transitions: {
    waiting: { intend: 'placing', reject: 'rejected', supersede: 'superseded', adopt: 'created' },
    placing: { confirm: 'created', reject: 'rejected', clear: 'waiting', lose: 'unknown', differ: 'mismatched' },
    unknown: { confirm: 'created', clear: 'waiting', give_up: 'unresolved', differ: 'mismatched' },
    created: {},
    rejected: { retry: 'waiting', supersede: 'superseded' },
    unresolved: { look_again: 'unknown' },
    mismatched: { look_again: 'unknown' },
    superseded: {},
  },
};
