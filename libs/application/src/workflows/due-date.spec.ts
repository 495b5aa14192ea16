import fc from 'fast-check';
import { addDays, dateOf, instantOfMicros } from '@v402/domain';
import { dueDateOf, requestTime } from './due-date.js';

test.each([
  ['2026-11-21T10:15:30.120Z', 0, '2026-11-21'],
  ['2026-11-21T23:59:59.999999Z', 1, '2026-11-22'],
  ['2026-11-21T00:00:00Z', 30, '2026-12-21'],
  ['2028-02-28T12:00:00Z', 1, '2028-02-29'],
  ['2027-02-28T12:00:00Z', 1, '2027-03-01'],
  ['2026-12-31T12:00:00Z', 365, '2027-12-31'],
] as const)('the due date of %s and %i days is %s', (triggeredAt, days, expected) => {
  expect(dueDateOf(triggeredAt, days)).toBe(expected);
});

test.each([
  ['2026-12-21', 0, '2026-12-21T00:00:00.000000Z'],
  ['2026-12-21', 2, '2026-12-19T00:00:00.000000Z'],
  ['2027-01-01', 1, '2026-12-31T00:00:00.000000Z'],
  ['2028-03-01', 1, '2028-02-29T00:00:00.000000Z'],
] as const)('a leg due on %s with a lead of %i days is asked for from %s on', (dueDate, leadDays, expected) => {
  expect(instantOfMicros(requestTime(dueDate, leadDays))).toBe(expected);
});

test('behavior: a date that the calendar of contracts has can be due, however early', () => {
  expect(requestTime('0000-01-01', 1)).toBe(BigInt(Date.parse('0000-01-01T00:00:00Z') - 86_400_000) * 1_000n);
});

test('property: lead days and due days cancel out', () => {
  const instants = fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(instants, fc.integer({ min: 0, max: 3_650 }), (date, days) => {
      const triggeredAt = date.toISOString();
      const dueDate = dueDateOf(triggeredAt, days);
      expect(addDays(dateOf(triggeredAt), days)).toBe(dueDate);
      expect(instantOfMicros(requestTime(dueDate, days))).toBe(`${triggeredAt.slice(0, 10)}T00:00:00.000000Z`);
    }),
  );
});
