import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import {
  compareDecimals,
  DECIMAL_PATTERN,
  decimalSign,
  fractionDigits,
  lineAmount,
  subtractDecimals,
  sumDecimals,
  withFractionDigits,
} from './decimal.js';
import { TerminalError } from './errors.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

function codeThrownBy(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof TerminalError ? error.code : String(error);
  }
  return undefined;
}
const SCALE = 9;

/** Section 3's decimals with the same value as a count of 10^-9. */
const decimals = fc
  .record({
    whole: fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }),
    fraction: fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), maxLength: SCALE }),
    negative: fc.boolean(),
  })
  .map(({ whole, fraction, negative }) => {
    const size = whole * 10n ** 9n + BigInt(fraction.padEnd(SCALE, '0'));
    const text = `${whole}${fraction === '' ? '' : `.${fraction}`}`;
    return negative && size > 0n ? { text: `-${text}`, units: -size } : { text, units: size };
  });
const amounts = decimals.filter(({ units }) => units >= 0n);
const positives = decimals.filter(({ units }) => units > 0n);

function unitsOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}

/** a / b rounded half-even, in whole numbers. */
function divideHalfEven(a: bigint, b: bigint): bigint {
  const whole = a / b;
  const twiceTheRest = (a % b) * 2n;
  return twiceTheRest > b || (twiceTheRest === b && whole % 2n === 1n) ? whole + 1n : whole;
}

describe('decimals', () => {
  it.each(['0', '0.00', '-0.01', '999999999999999999.999999999', '10', '-1'])(
    'has the form of section 3: %s',
    (text) => {
      expect(text).toMatch(DECIMAL_PATTERN);
    },
  );

  it.each(['', '-0', '-0.00', '01', '.5', '1.', '+1', '1e2', ' 1', '1\n', '1000000000000000000', '0.0000000001', '١'])(
    'has not the form of section 3: %j',
    (text) => {
      expect(text).not.toMatch(DECIMAL_PATTERN);
    },
  );

  it('rounds ties to even', () => {
    expect(lineAmount({ quantity: '1', unitPrice: '2.675' }, 2)).toBe('2.68');
    expect(lineAmount({ quantity: '1', unitPrice: '2.665' }, 2)).toBe('2.66');
    expect(lineAmount({ quantity: '1', unitPrice: '0.5' }, 0)).toBe('0');
    expect(lineAmount({ quantity: '1', unitPrice: '1.5' }, 0)).toBe('2');
  });

  it('rounds once: a third decimal of 4 followed by nines stays below the tie', () => {
    expect(lineAmount({ quantity: '1', unitPrice: '0.00499999' }, 2)).toBe('0.00');
    expect(lineAmount({ quantity: '499999999999999999', unitPrice: '1', priceBasis: '100000000000000000000' }, 2)).toBe(
      '0.00',
    );
    expect(lineAmount({ quantity: '500000000000000001', unitPrice: '1', priceBasis: '100000000000000000000' }, 2)).toBe(
      '0.01',
    );
  });

  it('has no amount for a price basis of zero', () => {
    expect(lineAmount({ quantity: '1', unitPrice: '1', priceBasis: '0.00' }, 2)).toBeUndefined();
  });

  it('error: refuses what is below zero or no plain decimal', () => {
    expect(codeThrownBy(() => lineAmount({ quantity: '-1', unitPrice: '1' }, 2))).toBe('decimal_negative');
    expect(codeThrownBy(() => sumDecimals(['1e2']))).toBe('decimal_invalid');
    expect(codeThrownBy(() => compareDecimals('NaN', '0'))).toBe('decimal_invalid');
  });

  it('writes a fixed number of fraction digits and never rounds', () => {
    expect(withFractionDigits('400', 2)).toBe('400.00');
    expect(withFractionDigits('400.500', 1)).toBe('400.5');
    expect(withFractionDigits('999999999999999999', 0)).toBe('999999999999999999');
    expect(codeThrownBy(() => withFractionDigits('0.001', 2))).toBe('decimal_scale');
  });

  it('counts fraction digits as they are written', () => {
    expect([fractionDigits('1'), fractionDigits('1.50'), fractionDigits('-0.000')]).toEqual([0, 2, 3]);
  });

  it("leaves the library's own configuration alone", () => {
    expect(Decimal.precision).toBe(20);
    expect(new Decimal(1).div(3).toString()).toBe('0.33333333333333333333');
  });
});

describe(`decimals against whole-number arithmetic (PROPERTY_SEED=${seed})`, () => {
  it('line amounts', () => {
    fc.assert(
      fc.property(amounts, amounts, positives, fc.constantFrom(0, 2, 3, 4), (quantity, price, basis, digits) => {
        const draft = { quantity: quantity.text, unitPrice: price.text, priceBasis: basis.text };
        const expected = divideHalfEven(quantity.units * price.units * 10n ** BigInt(digits), basis.units * 10n ** 9n);
        expect(BigInt(lineAmount(draft, digits)?.replace('.', '') ?? '')).toBe(expected);
      }),
      { seed },
    );
  });

  it('line amounts that are ties, or next to one', () => {
    const nearTies = fc.record({ half: fc.bigInt({ min: 0n, max: 10n ** 8n }), nudge: fc.constantFrom(-1n, 0n, 1n) });
    fc.assert(
      fc.property(nearTies, fc.bigInt({ min: 1n, max: 10n ** 9n - 1n }), ({ half, nudge }, basis) => {
        // (2·half + 1) / 2 cents, times the basis, moved by the smallest step that the form can hold.
        const priceUnits = (2n * half + 1n) * basis * 5_000_000n + nudge;
        fc.pre(priceUnits >= 0n);
        const price = `${priceUnits / 10n ** 9n}.${String(priceUnits % 10n ** 9n).padStart(9, '0')}`;
        const expected = divideHalfEven(priceUnits, basis * 10n ** 7n);
        const amount = lineAmount({ quantity: '1', unitPrice: price, priceBasis: String(basis) }, 2);
        expect(BigInt(amount?.replace('.', '') ?? '')).toBe(expected);
      }),
      { seed },
    );
  });

  it('sums, differences, comparisons and signs', () => {
    fc.assert(
      fc.property(fc.array(decimals, { maxLength: 50 }), decimals, decimals, (list, a, b) => {
        const sum = list.reduce((total, { units }) => total + units, 0n);
        expect(unitsOf(sumDecimals(list.map(({ text }) => text)))).toBe(sum);
        expect(unitsOf(subtractDecimals(a.text, b.text))).toBe(a.units - b.units);
        expect(compareDecimals(a.text, b.text)).toBe(a.units < b.units ? -1 : a.units > b.units ? 1 : 0);
        expect(decimalSign(a.text)).toBe(a.units < 0n ? -1 : a.units > 0n ? 1 : 0);
      }),
      { seed },
    );
  });
});
