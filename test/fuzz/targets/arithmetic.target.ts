import fc from 'fast-check';
import {
  compareDecimals,
  DECIMAL_PATTERN,
  lineAmount,
  subtractDecimals,
  sumDecimals,
  withFractionDigits,
} from '@v402/domain';
import type { Chance } from '../chance.js';
import { anyText } from '../hostile.js';
import { documentedError } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

interface Input {
  readonly left: string;
  readonly right: string;
  readonly basis: string;
  readonly digits: number;
}

/** The oracle's, for any text that may be tried. */
const DIGITS = 60;
const SCALE = 10n ** BigInt(DIGITS);
const decimal = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), fc.stringMatching(/^[0-9]{0,9}$/))
  .map(([whole, fraction]) => (fraction === '' ? String(whole) : `${String(whole)}.${fraction}`));
const smallDecimal = fc.stringMatching(/^(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?$/);

function anyDecimal(chance: Chance): string {
  return chance.of(chance.oneIn(2) ? decimal : smallDecimal);
}

function generate(chance: Chance): Input {
  const hostile = chance.oneIn(20);
  return {
    left: hostile ? anyText(chance) : anyDecimal(chance),
    right: anyDecimal(chance),
    basis: anyDecimal(chance),
    digits: chance.int(0, 4),
  };
}

/** The exact value in units of 10⁻⁶⁰. */
function units(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole) * SCALE + BigInt(fraction.padEnd(DIGITS, '0'));
  return text.startsWith('-') ? -value : value;
}

const sign = (value: bigint): number => (value === 0n ? 0 : value < 0n ? -1 : 1);

/** quantity × price ÷ basis in minor units, half to even, by whole numbers alone. */
function amountOf({ left, right, basis, digits }: Input): bigint {
  const over = units(left) * units(right) * 10n ** BigInt(digits);
  const under = units(basis) * SCALE;
  const whole = over / under;
  const twice = (over % under) * 2n;
  return twice > under || (twice === under && whole % 2n === 1n) ? whole + 1n : whole;
}

function run(input: Input): Outcome {
  const { left, right, basis, digits } = input;
  try {
    mustHold(compareDecimals(left, right) === sign(units(left) - units(right)), 'decimals compare by value');
    mustHold(units(sumDecimals([left, right, basis])) === units(left) + units(right) + units(basis), 'a sum is exact');
    mustHold(units(subtractDecimals(left, right)) === units(left) - units(right), 'a difference is exact');
    mustHold(units(withFractionDigits(left, DIGITS)) === units(left), 'more digits are the same value');
    if (!DECIMAL_PATTERN.test(left)) return { kind: 'no decimal of a contract', decided: left };
    if (left.startsWith('-')) return { kind: 'negative', decided: left };
    const amount = lineAmount({ quantity: left, unitPrice: right, priceBasis: basis }, digits);
    mustHold((amount === undefined) === (units(basis) === 0n), 'only a basis of zero has no amount');
    if (amount === undefined) return { kind: 'no amount', decided: null };
    const minor = BigInt(amount.replace('.', ''));
    mustHold(minor === amountOf(input), 'an amount is rounded once, half to even');
    return { kind: 'amount', decided: amount };
  } catch (error) {
    return documentedError(error, ['decimal_invalid', 'decimal_scale']);
  }
}

export const arithmetic = defineTarget('arithmetic', generate, run);
