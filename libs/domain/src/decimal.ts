import { Decimal } from 'decimal.js';
import { TerminalError } from './errors.js';
import type { DecimalText } from './terms.js';

/** The decimals of section 3: no exponent, no leading zero, no negative zero; at most 18 digits before the point, 9 after. */
export const DECIMAL_PATTERN = /^(?!-0(?:\.0+)?$)-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?$/;

/**
 * A constructor of our own, so that the library's global configuration stays as it is. The precision only has to be
 * beyond every exact intermediate result: a scaled product has at most 36 digits before the point and 18 after it.
 */
const Exact = Decimal.clone({
  defaults: true,
  precision: 200,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -9e15,
  toExpPos: 9e15,
});

/** Sums may pass the 18 digits that a contract's text is limited to, so any plain decimal is read. */
function parse(text: DecimalText): Decimal {
  if (!/^-?[0-9]+(?:\.[0-9]+)?$/.test(text)) {
    throw new TerminalError(
      'decimal_invalid',
      'A decimal is plain text such as -12.34, without exponent or white space.',
    );
  }
  return new Exact(text);
}

/** -1, 0 or 1, told from the text alone. */
export function decimalSign(text: DecimalText): number {
  if (!/[1-9]/.test(text)) return 0;
  return text.startsWith('-') ? -1 : 1;
}

/** Compares by value: `400` equals `400.00`. -1, 0 or 1. */
export function compareDecimals(left: DecimalText, right: DecimalText): number {
  return parse(left).comparedTo(parse(right));
}

/** The exact sum as plain text; `0` for none. It may have more digits than a contract's decimals can. */
export function sumDecimals(values: Iterable<DecimalText>): DecimalText {
  let sum = new Exact(0);
  for (const value of values) sum = sum.plus(parse(value));
  return sum.toString();
}

/** The exact difference as plain text. */
export function subtractDecimals(from: DecimalText, amount: DecimalText): DecimalText {
  return parse(from).minus(parse(amount)).toString();
}

/** Digits after the point as written: 2 for `1.50`, trailing zeros included. */
export function fractionDigits(text: DecimalText): number {
  const point = text.indexOf('.');
  return point === -1 ? 0 : text.length - point - 1;
}

/**
 * The same value with exactly `digits` digits after the point, e.g. `400` as `400.00`; nothing is ever rounded.
 *
 * @throws TerminalError `decimal_scale` when the value needs more digits
 */
export function withFractionDigits(text: DecimalText, digits: number): DecimalText {
  const value = parse(text);
  if (value.decimalPlaces() > digits) {
    throw new TerminalError('decimal_scale', `A value needs more than ${digits} digits after its point.`, { digits });
  }
  return value.toFixed(digits);
}

/**
 * quantity × unitPrice ÷ priceBasis, rounded half-even once, to `minorDigits` digits after the point (section 4).
 * The rounding looks at the division's exact remainder, so that a tie is told from its nearest neighbour however close.
 *
 * @param priceBasis the quantity that `unitPrice` is the price of; 1 if absent
 * @returns undefined when `priceBasis` is zero: no amount is right then
 */
export function lineAmount(
  {
    quantity,
    unitPrice,
    priceBasis = '1',
  }: { quantity: DecimalText; unitPrice: DecimalText; priceBasis?: DecimalText },
  minorDigits: number,
): DecimalText | undefined {
  const basis = parse(priceBasis);
  if (basis.isZero()) return undefined;
  const minorUnits = parse(quantity).times(parse(unitPrice)).times(new Exact(10).pow(minorDigits));
  if (minorUnits.lessThan(0) || basis.lessThan(0)) {
    throw new TerminalError('decimal_negative', 'Quantity, unit price and price basis are not below zero.');
  }
  const whole = minorUnits.divToInt(basis);
  const twiceTheRest = minorUnits.minus(whole.times(basis)).times(2).comparedTo(basis);
  const isUp = twiceTheRest > 0 || (twiceTheRest === 0 && !whole.mod(2).isZero());
  return (isUp ? whole.plus(1) : whole).div(new Exact(10).pow(minorDigits)).toFixed(minorDigits);
}
