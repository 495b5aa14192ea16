import type { JsonValue } from '@v402/contract';
import type { Chance } from './chance.js';
import { anyJson, anyText, HOSTILE_TEXTS, HOSTILE_VALUES, ownObject } from './hostile.js';
import { isList } from './json-form.js';

type Change = (value: JsonValue, chance: Chance) => JsonValue;

/** Changes a document in one place that chance finds. */
export function mutateJson(document: JsonValue, chance: Chance): JsonValue {
  return changeSomewhere(document, chance, chance.pick(CHANGES));
}

/** Goes down from the root, and more often stops at a leaf than on the way. */
function changeSomewhere(value: JsonValue, chance: Chance, change: Change): JsonValue {
  if (typeof value !== 'object' || value === null) return change(value, chance);
  const size = isList(value) ? value.length : Object.keys(value).length;
  if (size === 0 || chance.oneIn(8)) return change(value, chance);
  const place = chance.int(0, size - 1);
  if (isList(value))
    return value.map((item, index) => (index === place ? changeSomewhere(item, chance, change) : item));
  return ownObject(
    Object.entries(value).map(([name, item], index) => [
      name,
      index === place ? changeSomewhere(item, chance, change) : item,
    ]),
  );
}

const CHANGES: readonly [Change, ...Change[]] = [
  tweak,
  tweak,
  tweak,
  (_, chance) => chance.pick(HOSTILE_TEXTS),
  (_, chance) => chance.pick(HOSTILE_VALUES),
  (_, chance) => anyJson(chance),
  withoutOne,
  withOneMore,
  (value) => [value],
  (value) => ({ value }),
];

/** A small change that often leaves a contract's form whole. */
function tweak(value: JsonValue, chance: Chance): JsonValue {
  if (typeof value === 'string') return tweakText(value, chance);
  if (typeof value === 'number') return value + chance.pick([-1, 1, 256]);
  if (typeof value === 'boolean') return !value;
  if (value === null) return chance.pick(HOSTILE_VALUES);
  if (isList(value)) return chance.shuffled(value);
  const [first, second, ...rest] = chance.shuffled(Object.entries(value));
  if (first === undefined || second === undefined) return value;
  return ownObject([[first[0], second[1]], [second[0], first[1]], ...rest]);
}

function tweakText(text: string, chance: Chance): string {
  const place = chance.int(0, Math.max(0, text.length - 1));
  const [before, character, after] = [text.slice(0, place), text.charAt(place), text.slice(place + 1)];
  switch (chance.int(0, 7)) {
    case 0:
      return `${before}${neighbour(character, chance)}${after}`;
    case 1:
      return before + after;
    case 2:
      return `${text}${chance.pick(['0', '.0', '.00', 'a', ' ', '\u0301', '\u200b'])}`;
    case 3:
      return text.normalize(chance.pick(['NFC', 'NFD', 'NFKC']));
    case 4:
      return chance.oneIn(2) ? text.toUpperCase() : text.toLowerCase();
    case 5:
      return `${before}${anyText(chance)}${after}`;
    case 6:
      return text.replace(/[aeopcxy]/, (letter) => HOMOGLYPHS[letter] ?? letter);
    default:
      return `${before}${neighbour(character, chance)}${after}`;
  }
}

/** Cyrillic letters that look like Latin ones. */
const HOMOGLYPHS: Readonly<Record<string, string>> = { a: 'а', e: 'е', o: 'о', p: 'р', c: 'с', x: 'х', y: 'у' };

/** Another character of the same class, so that a form of digits or of letters is kept. */
function neighbour(character: string, chance: Chance): string {
  if (/[0-9]/.test(character)) return String(chance.int(0, 9));
  if (/[a-f]/.test(character)) return chance.pick(['a', 'b', 'c', 'd', 'e', 'f']);
  if (/[a-z]/.test(character)) return String.fromCharCode(chance.int(0x61, 0x7a));
  if (/[A-Z]/.test(character)) return String.fromCharCode(chance.int(0x41, 0x5a));
  return chance.pick(['-', '.', ':', '_', '/', ' ', 'ß']);
}

function withoutOne(value: JsonValue, chance: Chance): JsonValue {
  if (typeof value !== 'object' || value === null) return chance.pick(HOSTILE_VALUES);
  if (isList(value)) return value.toSpliced(chance.int(0, Math.max(0, value.length - 1)), 1);
  const members = Object.entries(value);
  return ownObject(members.toSpliced(chance.int(0, Math.max(0, members.length - 1)), 1));
}

function withOneMore(value: JsonValue, chance: Chance): JsonValue {
  if (typeof value !== 'object' || value === null) return [value, value];
  if (!isList(value)) return ownObject([...Object.entries(value), [anyText(chance), anyJson(chance)]]);
  return value.length === 0 ? [anyJson(chance)] : [...value, chance.pick(value)];
}
