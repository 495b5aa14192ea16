import { canonicalBytes, parseStrictJson, type JsonValue } from '@v402/contract';
import { Chance } from '../chance.js';
import { anyJson } from '../hostile.js';
import { otherJson } from '../json-form.js';
import { refused } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

interface Input {
  readonly value: JsonValue;
  readonly other: string;
}

function generate(chance: Chance): Input {
  const value = anyJson(chance);
  return { value, other: otherJson(value, chance) };
}

function namesInOrder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const names = Array.isArray(value) ? [] : Object.keys(value).filter((name) => !/^\d+$/.test(name));
  // RFC 8785 sorts names by UTF-16 code units, as JavaScript compares strings; integer names are out of JavaScript's hands.
  return (
    names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name) &&
    Object.values(value).every(namesInOrder)
  );
}

function run({ value, other }: Input): Outcome {
  const parsed = parseStrictJson(Buffer.from(other, 'utf8'));
  if (!parsed.ok) return refused(parsed.refusal);
  const canonical = Buffer.from(canonicalBytes(parsed.value)).toString('utf8');
  mustHold(canonical === Buffer.from(canonicalBytes(value)).toString('utf8'), 'one value has one canonical form');
  mustHold(namesInOrder(JSON.parse(canonical)), 'its names are in order');
  mustHold(
    !/^\s|\s$/.test(canonical) && Buffer.byteLength(canonical) <= Buffer.byteLength(other),
    'it is the shortest',
  );
  return { kind: 'accepted', decided: canonical };
}

export const canonical = defineTarget('canonical', generate, run);
