import fc from 'fast-check';
import { addSeconds, compareInstants, isInstant, toUnixSeconds } from '@v402/domain';
import type { Chance } from '../chance.js';
import { anyText } from '../hostile.js';
import { documentedError } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

interface Input {
  readonly left: string;
  readonly right: string;
  readonly seconds: number;
}

const LAST_SECOND = 253_402_300_799;
const FIRST_SECOND = -62_167_219_200;
const instant = fc.tuple(fc.maxSafeInteger(), fc.stringMatching(/^[0-9]{0,30}$/)).map(([number, fraction]) => {
  const seconds = FIRST_SECOND + (Math.abs(number) % (LAST_SECOND - FIRST_SECOND + 1));
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
});
const digits = fc.stringMatching(/^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,3})?Z$/);

function anyInstant(chance: Chance): string {
  if (chance.oneIn(10)) return anyText(chance);
  return chance.of(chance.oneIn(3) ? digits : instant);
}

function generate(chance: Chance): Input {
  const left = anyInstant(chance);
  return {
    left,
    right: chance.oneIn(4) ? left : anyInstant(chance),
    seconds: chance.pick([0, 1, -1, 300, 86_400, -86_400]),
  };
}

/** Whether the calendar knows the moment: the platform turns one that it does not into another. */
function isReal(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text)) return false;
  const date = new Date(`${text.slice(0, 19)}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 19) === text.slice(0, 19);
}

/** Seconds and fraction as one whole number of 10⁻⁴⁰ seconds. */
function exact(text: string): bigint {
  const seconds = BigInt(new Date(`${text.slice(0, 19)}Z`).getTime() / 1000);
  return seconds * 10n ** 400n + BigInt(text.slice(20, -1).padEnd(400, '0'));
}

function run({ left, right, seconds }: Input): Outcome {
  try {
    mustHold(isInstant(left) === isReal(left), 'an instant is a moment of the calendar');
    const order = compareInstants(left, right, seconds);
    const difference = exact(left) - exact(right) - BigInt(seconds) * 10n ** 400n;
    mustHold(order === (difference === 0n ? 0 : difference < 0n ? -1 : 1), 'instants compare exactly');
    const later = addSeconds(left, seconds);
    mustHold(toUnixSeconds(later) === toUnixSeconds(left) + seconds, 'seconds are added exactly');
    return { kind: order === 0 ? 'equal' : 'ordered', decided: [order, later] };
  } catch (error) {
    return documentedError(error, ['instant_invalid', 'instant_out_of_range']);
  }
}

export const time = defineTarget('time', generate, run);
