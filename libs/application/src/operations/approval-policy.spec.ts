import { needsApproval, totalOverLimit } from './approval-policy.js';

const EUR = (amount: string): { amount: string; currency: string } => ({ amount, currency: 'EUR' });

test.each([
  ['no limits: nobody has to', {}, EUR('999999999999999999'), false],
  ['below', { EUR: '10000' }, EUR('9999.999999999'), false],
  ['at the limit, by value', { EUR: '10000' }, EUR('10000.00'), false],
  ['over by the least there is', { EUR: '10000' }, EUR('10000.000000001'), true],
  ['where a double could not tell', { EUR: '900719925474099267' }, EUR('900719925474099268'), true],
  ['a currency without a limit', { USD: '10000' }, EUR('1'), true],
  ['a currency by the limit of all others', { USD: '10000', '*': '50' }, EUR('50'), false],
  ['over the limit of all others', { USD: '10000', '*': '0' }, EUR('0.01'), true],
  ['nothing at stake', { '*': '0' }, EUR('0.00'), false],
  ['an amount that nobody can tell', { '*': '999999' }, undefined, true],
])('%s', (_, limits, total, expected) => {
  expect(needsApproval(limits, total)).toBe(expected);
});

test('of several totals the first that takes a second person is told, also one that nobody can tell', () => {
  const limits = { EUR: '100', '*': '50' };
  expect(totalOverLimit(limits, [])).toBeUndefined();
  expect(totalOverLimit(limits, [EUR('100'), EUR('1')])).toBeUndefined();
  expect(totalOverLimit(limits, [EUR('100'), EUR('101'), EUR('102')])).toEqual({ total: EUR('101') });
  expect(totalOverLimit(limits, [EUR('100'), undefined])).toEqual({ total: undefined });
});
