import { buildContract, identifyContract } from '@v402/contract';
import { compareDecimals, sumDecimals } from '@v402/domain';
import fc from 'fast-check';
import { initialRows } from '../intake/initial-rows.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import { adoptEarlier } from './amendment-adoption.js';
import type { ChainMember } from './chain-member.js';

interface Leg {
  readonly id: string;
  readonly amount: number;
}

/** A contract over legs of whole amounts, as it stands after it was accepted. */
function member(legs: readonly Leg[], variant: string): ChainMember {
  const total = legs.reduce((sum, { amount }) => sum + amount, 0);
  const contract = buildContract({
    agreedAt: '2026-11-21T10:15:30.120Z',
    extensions: { 'com.example.variant': variant },
    lines: [{ sku: 'BOLT', quantity: '1', unitPrice: total.toFixed(2) }],
    payment: legs.map(({ id, amount }) => ({ id, amount: amount.toFixed(2), rail: 'card', trigger: 'ordered' })),
  });
  const { contractId } = identifyContract(contract);
  const rows = initialRows(contractId, contract, 'seller');
  return { contract, orders: [rows.order], legs: rows.legs, deliveries: rows.deliveries };
}

const withOrder = (of: ChainMember, changes: Partial<OrderPlacement>): ChainMember => ({
  ...of,
  orders: of.orders.map((order) => ({ ...order, ...changes })),
});

const created = { state: 'created', orderSystem: 's', orderNumber: '1', orderedAt: 1n } as const;

const legs = fc.uniqueArray(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), amount: fc.integer({ min: 1, max: 50 }) }),
  { selector: ({ id }) => id, minLength: 1 },
);

test('property: nothing is asked for twice, and never more in sum than the amendment says, or than was asked for before', () => {
  fc.assert(
    fc.property(legs, legs, fc.integer({ min: 0, max: 31 }), (before, after, mask) => {
      const base = member(before, 'base');
      const asked = base.legs.filter((_, index) => (mask >> index) % 2 === 1);
      const begun = withOrder(
        { ...base, legs: base.legs.map((leg) => (asked.includes(leg) ? { ...leg, state: 'requested' } : leg)) },
        created,
      );
      const amendment = member(after, 'amendment');
      const { legs: settled, work } = adoptEarlier(amendment, [begun], { days: 14 });
      const started = work.filter(({ kind }) => kind === 'payment_leg').map(({ subjectId }) => subjectId);
      const of = (id: string): string => amendment.legs.find(({ legId }) => legId === id)?.amount ?? '0';
      const before_ = sumDecimals(asked.map(({ amount }) => amount));
      const sum = sumDecimals([before_, ...started.map(of)]);
      const { total } = amendment.contract.terms;

      expect(started.filter((id) => asked.some(({ legId }) => legId === id))).toEqual([]);
      expect(compareDecimals(sum, total) <= 0 || sum === before_).toBe(true);
      // Every leg of the amendment is one of: asked for before, blocked with a code, started.
      expect([...settled.map(({ legId }) => legId), ...started].sort()).toEqual(after.map(({ id }) => id).sort());
      for (const { state, code } of settled) expect(state === 'requested' || code !== undefined).toBe(true);
    }),
  );
});

test('the order of the earlier contract is taken over, and names the contract that it was placed for', () => {
  const base = withOrder(member([{ id: 'a', amount: 5 }], 'base'), created);
  const { orders } = adoptEarlier(member([{ id: 'a', amount: 5 }], 'amendment'), [base], { days: 14 });
  expect(orders).toMatchObject([{ state: 'created', orderNumber: '1', adoptedFrom: base.orders[0]?.contractId }]);
});

test('another currency: nothing more is asked for by itself', () => {
  const base = member([{ id: 'a', amount: 5 }], 'base');
  const begun = withOrder(
    { ...base, legs: base.legs.map((leg) => ({ ...leg, state: 'requested', currency: 'USD' })) },
    created,
  );
  const { legs: settled, work } = adoptEarlier(member([{ id: 'b', amount: 50 }], 'amendment'), [begun], { days: 14 });
  expect(settled).toMatchObject([{ legId: 'b', state: 'blocked', code: 'currency_differs_from_request' }]);
  expect(work.filter(({ kind }) => kind === 'payment_leg')).toEqual([]);
});
