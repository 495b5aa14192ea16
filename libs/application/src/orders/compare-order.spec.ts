import { agreedOrder, buildOrderDraft } from '@v402/testing';
import type { OrderSnapshot } from '../ports/order-system.js';
import { orderDifferences } from './compare-order.js';

const draft = buildOrderDraft({
  lines: [
    { sku: 'BOLT-M8', quantity: '5000', unitPrice: '12.34', priceBasis: '100' },
    { sku: 'NUT-M8', quantity: '12.5', unit: 'KGM', unitPrice: '2.00' },
  ],
  charges: [
    { type: 'freight', amount: '20.00' },
    { type: 'discount', amount: '-5.00' },
  ],
  delivery: {
    schedule: [
      { notBefore: '2027-01-10', notAfter: '2027-01-12', items: [{ line: '1', quantity: '2000' }] },
      { notBefore: '2027-02-10', notAfter: '2027-02-12' },
    ],
  },
});
const order = agreedOrder(draft, 'SO-1');
const [line, otherLine] = order.lines;
const [charge, otherCharge] = order.charges;
const [delivery, otherDelivery] = order.deliveries;

test('default: an order as it was agreed has no difference', () => {
  expect(orderDifferences(draft, order)).toEqual([]);
});

test('behavior: numbers compare by value, lists by their ids', () => {
  const written: OrderSnapshot = {
    ...order,
    total: '657',
    lines: [
      { ...otherLine!, quantity: '12.500', amount: '25' },
      { ...line!, unitPrice: '12.340' },
    ],
    charges: [otherCharge!, { ...charge!, amount: '20' }],
    deliveries: [{ ...otherDelivery!, items: [...otherDelivery!.items].reverse() }, delivery!],
  };
  expect(order.total).toBe('657.00');
  expect(orderDifferences(draft, written)).toEqual([]);
});

test('behavior: a contract without charges and an order without charges are the same', () => {
  const plain = buildOrderDraft();
  expect(plain.contract.terms.charges).toBeUndefined();
  expect(orderDifferences(plain, agreedOrder(plain, 'SO-2'))).toEqual([]);
});

test.each<[string, Partial<OrderSnapshot>]>([
  ['/contractId', { contractId: '0'.repeat(64) }],
  ['/parties/buyer/id', { buyer: 'did:web:other.example' }],
  ['/parties/seller/id', { seller: 'did:web:other.example' }],
  ['/terms/currency', { currency: 'USD' }],
  ['/terms/total', { total: '657.01' }],
  ['/terms/lines', { lines: [line!] }],
  ['/terms/lines', { lines: [line!, line!] }],
  ['/terms/lines', { lines: [...order.lines, { ...line!, id: '3' }] }],
  ['/terms/lines', { lines: [{ ...line!, id: '9' }, otherLine!] }],
  ['/terms/lines', { lines: [{ ...line!, sku: 'BOLT-M9' }, otherLine!] }],
  ['/terms/lines', { lines: [{ ...line!, unit: 'KGM' }, otherLine!] }],
  ['/terms/lines', { lines: [{ ...line!, quantity: '5001' }, otherLine!] }],
  ['/terms/lines', { lines: [{ ...line!, unitPrice: '12.35' }, otherLine!] }],
  ['/terms/lines', { lines: [{ ...line!, amount: '617.01' }, otherLine!] }],
  ['/terms/charges', { charges: [] }],
  ['/terms/charges', { charges: [{ ...charge!, type: 'other' }, otherCharge!] }],
  ['/terms/charges', { charges: [{ ...charge!, amount: '-20.00' }, otherCharge!] }],
  ['/terms/delivery/schedule', { deliveries: [delivery!] }],
  ['/terms/delivery/schedule', { deliveries: [{ ...delivery!, notBefore: '2027-01-09' }, otherDelivery!] }],
  ['/terms/delivery/schedule', { deliveries: [{ ...delivery!, notAfter: '2027-01-13' }, otherDelivery!] }],
  ['/terms/delivery/schedule', { deliveries: [{ ...delivery!, items: [] }, otherDelivery!] }],
  [
    '/terms/delivery/schedule',
    { deliveries: [{ ...delivery!, items: [{ line: '1', quantity: '2001' }] }, otherDelivery!] },
  ],
  [
    '/terms/delivery/schedule',
    { deliveries: [{ ...delivery!, items: [{ line: '2', quantity: '2000' }] }, otherDelivery!] },
  ],
])('error: a difference at %s is found (%j)', (where, changes) => {
  expect(orderDifferences(draft, { ...order, ...changes })).toEqual([where]);
});

test('error: every difference is told', () => {
  expect(orderDifferences(draft, { ...order, currency: 'USD', total: '1', lines: [] })).toEqual([
    '/terms/currency',
    '/terms/total',
    '/terms/lines',
  ]);
});
