import fc from 'fast-check';
import { deliveryTable } from './delivery.js';
import { orderPlacementTable } from './order-placement.js';
import { paymentLegTable } from './payment-leg.js';
import { hasStarted, settlementState } from './settlement.js';
import { transition, unreachableStates, type TransitionTable } from '../transitions.js';

const tables: TransitionTable<string, string>[] = [orderPlacementTable, paymentLegTable, deliveryTable];

describe.each(tables.map((table) => [table.name, table] as const))('transition table %s', (_, table) => {
  test('every state is reachable from the initial one', () => {
    expect(unreachableStates(table)).toEqual([]);
  });

  test('property: any sequence of inputs either stays inside the table or is refused as illegal', () => {
    const inputs = [...new Set(Object.values(table.transitions).flatMap((row) => Object.keys(row)))];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...inputs), { maxLength: 12 }), (sequence) => {
        let state = table.initial;
        for (const input of sequence) {
          const allowed = table.transitions[state]?.[input];
          if (allowed === undefined) {
            const from = state;
            expect(() => transition(table, from, input)).toThrow(`no transition from ${from} by ${input}`);
          } else {
            state = transition(table, state, input);
            expect(Object.keys(table.transitions)).toContain(state);
          }
        }
      }),
    );
  });
});

test('a state that nothing leads to is found', () => {
  const table: TransitionTable<'a' | 'b' | 'c', 'go'> = {
    name: 't',
    initial: 'a',
    transitions: { a: { go: 'b' }, b: {}, c: { go: 'a' } },
  };
  expect(unreachableStates(table)).toEqual(['c']);
});

test('property: an order that may exist is never sent again without being cleared by proof', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('intend', 'confirm', 'reject', 'clear', 'lose', 'give_up', 'differ', 'supersede'), {
        maxLength: 20,
      }),
      (sequence) => {
        let state = orderPlacementTable.initial;
        let mayExist = false;
        for (const input of sequence as ('intend' | 'confirm' | 'clear' | 'lose')[]) {
          const next = orderPlacementTable.transitions[state][input];
          if (next === undefined) continue;
          if (input === 'intend') {
            expect(mayExist).toBe(false);
            mayExist = true;
          }
          if (input === 'clear') mayExist = false;
          state = next;
        }
      },
    ),
  );
});

describe('settlement state', () => {
  const none = { legs: [], deliveries: [] } as const;
  test.each([
    [['waiting'], 'accepted'],
    [['placing'], 'ordering'],
    [['created', 'waiting'], 'ordering'],
    [['created', 'created'], 'ordered'],
    [['created', 'unknown'], 'order_unknown'],
    [['mismatched'], 'order_unknown'],
    [['unresolved'], 'order_unknown'],
    [['created', 'rejected'], 'order_rejected'],
    [['superseded', 'superseded'], 'superseded'],
  ] as const)('orders %j: %s', (orders, expected) => {
    expect(settlementState({ ...none, orders })).toBe(expected);
  });

  test('is fulfilling once something was asked for after all orders exist', () => {
    expect(settlementState({ orders: ['created'], legs: ['waiting'], deliveries: ['requested'] })).toBe('fulfilling');
    expect(settlementState({ orders: ['created'], legs: ['requested'], deliveries: [] })).toBe('fulfilling');
  });

  test('has started once an intent or a request is recorded, and not before', () => {
    expect(hasStarted({ ...none, orders: ['waiting'] })).toBe(false);
    expect(hasStarted({ orders: ['waiting'], legs: ['scheduled', 'blocked'], deliveries: ['waiting'] })).toBe(false);
    expect(hasStarted({ ...none, orders: ['placing'] })).toBe(true);
    expect(hasStarted({ ...none, orders: ['waiting', 'unknown'] })).toBe(true);
    expect(hasStarted({ orders: ['waiting'], legs: ['requested'], deliveries: [] })).toBe(true);
    expect(hasStarted({ orders: ['waiting'], legs: [], deliveries: ['requested'] })).toBe(true);
  });
});
