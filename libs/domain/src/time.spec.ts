import fc from 'fast-check';
import { TerminalError } from './errors.js';
import { addDays, addSeconds, compareInstants, dateOf, isCalendarDate, isInstant, toUnixSeconds } from './time.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

function codeThrownBy(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof TerminalError ? error.code : String(error);
  }
  return undefined;
}

const LAST_SECOND = 253_402_300_799n;
const seconds = fc.bigInt({ min: -62_167_219_200n, max: LAST_SECOND });
const fractions = fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), maxLength: 9 });

function instantOf(unixSeconds: bigint, fraction: string): string {
  const text = new Date(Number(unixSeconds) * 1000).toISOString().slice(0, 19);
  return `${text}${fraction === '' ? '' : `.${fraction}`}Z`;
}

function nanosOf(unixSeconds: bigint, fraction: string): bigint {
  return unixSeconds * 10n ** 9n + BigInt(fraction.padEnd(9, '0'));
}

describe('instants', () => {
  it.each([
    '2026-11-21T10:15:30Z',
    '2024-02-29T23:59:59.9Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59.123456789012Z',
  ])('is an instant: %s', (text) => {
    expect(isInstant(text)).toBe(true);
  });

  it.each([
    '2026-11-21T24:00:00Z',
    '2026-11-21T23:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-11-21t10:15:30Z',
    '2026-11-21T10:15:30z',
    '2026-11-21 10:15:30Z',
    '2026-11-21T10:15:30.Z',
    '2026-11-21T10:15:30+00:00',
    '+002026-11-21T10:15:30Z',
    '2026-11-21T10:15:30Z\n',
    '',
  ])('is no instant: %j', (text) => {
    expect(isInstant(text)).toBe(false);
    expect(codeThrownBy(() => toUnixSeconds(text))).toBe('instant_invalid');
  });

  it('compares any number of digits exactly', () => {
    const digits = '0'.repeat(40);
    expect(compareInstants(`2026-11-21T10:15:30.${digits}1Z`, '2026-11-21T10:15:30Z')).toBe(1);
    expect(compareInstants(`2026-11-21T10:15:30.1${digits}Z`, '2026-11-21T10:15:30.1Z')).toBe(0);
    expect(compareInstants('2026-11-21T10:15:30.1Z', `2026-11-21T10:15:30.1${digits}Z`)).toBe(0);
    expect(compareInstants('2026-11-21T10:15:30.19Z', '2026-11-21T10:15:30.2Z')).toBe(-1);
  });

  it('compares with a moment beyond the last year that a text can hold', () => {
    expect(compareInstants('9999-12-31T23:59:59Z', '9999-12-31T00:00:00Z', 366 * 86_400)).toBe(-1);
  });

  it('rounds down to whole seconds, before 1970 too', () => {
    expect(toUnixSeconds('2026-11-22T10:15:30.999Z')).toBe(1_795_342_530);
    expect(toUnixSeconds('1969-12-31T23:59:59.5Z')).toBe(-1);
  });

  it('error: does not leave the calendar', () => {
    expect(codeThrownBy(() => addSeconds('9999-12-31T23:59:59.9Z', 1))).toBe('instant_out_of_range');
    expect(codeThrownBy(() => addDays('0000-01-01', -1))).toBe('instant_out_of_range');
    expect(codeThrownBy(() => addDays('2026-01-01', 1e12))).toBe('instant_out_of_range');
  });
});

describe('calendar dates', () => {
  it.each(['2026-02-28', '2024-02-29', '2000-02-29', '0000-02-29', '2026-12-31'])('is a date: %s', (text) => {
    expect(isCalendarDate(text)).toBe(true);
  });

  it.each([
    '2026-02-29',
    '1900-02-29',
    '2026-04-31',
    '2026-00-10',
    '2026-13-01',
    '2026-01-00',
    '2026-1-1',
    '2026-01-01T',
    '',
  ])('is no date: %j', (text) => {
    expect(isCalendarDate(text)).toBe(false);
  });

  it('adds days across months and leap days', () => {
    expect(addDays('2024-02-28', 1)).toBe('2024-02-29');
    expect(addDays('2026-11-21', 3650)).toBe('2036-11-18');
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
    expect(dateOf('2026-11-21T23:59:59.999Z')).toBe('2026-11-21');
  });
});

describe(`instants against whole nanoseconds (PROPERTY_SEED=${seed})`, () => {
  it('compares, shifted by whole seconds', () => {
    const shifts = fc.integer({ min: -86_400, max: 366 * 86_400 });
    const nearby = fc.bigInt({ min: -2n, max: 2n });
    fc.assert(
      fc.property(seconds, nearby, fractions, fractions, shifts, (second, offset, x, y, shift) => {
        const other = second + offset + BigInt(shift);
        fc.pre(other >= -62_167_219_200n && other <= LAST_SECOND);
        const left = nanosOf(other, x);
        const right = nanosOf(second, y) + BigInt(shift) * 10n ** 9n;
        const expected = left < right ? -1 : left > right ? 1 : 0;
        expect(compareInstants(instantOf(other, x), instantOf(second, y), shift)).toBe(expected);
      }),
      { seed },
    );
  });

  it('adds seconds, keeps the fraction, and goes back', () => {
    fc.assert(
      fc.property(seconds, fractions, fc.integer({ min: -1e9, max: 1e9 }), (second, fraction, shift) => {
        const sum = second + BigInt(shift);
        fc.pre(sum >= -62_167_219_200n && sum <= LAST_SECOND);
        const shifted = addSeconds(instantOf(second, fraction), shift);
        expect(shifted).toBe(instantOf(sum, fraction));
        expect(toUnixSeconds(shifted)).toBe(Number(sum));
        expect(addSeconds(shifted, -shift)).toBe(instantOf(second, fraction));
      }),
      { seed },
    );
  });
});
