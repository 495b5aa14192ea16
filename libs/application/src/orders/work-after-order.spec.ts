import { instantOfMicros, type Trigger } from '@v402/domain';
import { buildOrderDraft } from '@v402/testing';
import { workAfterOrder } from './work-after-order.js';

const TRIGGERS: readonly Trigger[] = ['agreed', 'ordered', 'shipped', 'delivered'];

const { contractId, contract } = buildOrderDraft({
  payment: TRIGGERS.map((trigger, index) => ({ rail: 'card', trigger, days: 30, ...(index > 0 && { percent: '10' }) })),
  delivery: {
    schedule: [
      { notBefore: '2027-01-05', notAfter: '2027-01-12', items: [{ line: '1', quantity: '2000' }] },
      { notBefore: '2027-03-01', notAfter: '2027-03-02' },
    ],
  },
});

test('default: the legs that the order triggers are due at once, the deliveries by their lead time', () => {
  const work = workAfterOrder(contractId, contract, 'buyer', { days: 14 });
  const shown = work.map(({ dueAt, ...key }) => ({
    ...key,
    dueAt: dueAt === undefined ? 'at once' : instantOfMicros(dueAt),
  }));
  const side = 'buyer';
  expect(shown).toEqual([
    { kind: 'payment_leg', contractId, side, subjectId: 'p2', dueAt: 'at once' },
    { kind: 'delivery', contractId, side, subjectId: 'd1', dueAt: '2026-12-22T00:00:00.000000Z' },
    { kind: 'delivery', contractId, side, subjectId: 'd2', dueAt: '2027-02-15T00:00:00.000000Z' },
  ]);
});

test('behavior: without a lead, a delivery is due when its window begins', () => {
  const [, delivery] = workAfterOrder(contractId, contract, 'seller', { days: 0 });
  expect(delivery).toMatchObject({ side: 'seller', dueAt: BigInt(Date.UTC(2027, 0, 5)) * 1_000n });
});
