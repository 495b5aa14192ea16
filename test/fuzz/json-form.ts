import type { JsonValue } from '@v402/contract';
import type { Chance } from './chance.js';

const WHITE_SPACE = ['', '', '', ' ', '\n', '\r\n', '\t', '  \n '] as const;

/** Another JSON text of the same value: other member order, other white space, other escapes. */
export function otherJson(value: JsonValue, chance: Chance): string {
  const space = (): string => chance.pick(WHITE_SPACE);
  if (typeof value === 'string') return otherString(value, chance);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => `${space()}${otherJson(item, chance)}${space()}`).join(',')}]`;
  const members = chance.shuffled(Object.entries(value));
  const texts = members.map(
    ([name, item]) => `${space()}${otherString(name, chance)}${space()}:${space()}${otherJson(item, chance)}${space()}`,
  );
  return `{${texts.join(',')}}`;
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function otherString(text: string, chance: Chance): string {
  if (!chance.oneIn(4)) return JSON.stringify(text);
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${chance.oneIn(2) ? unit.toUpperCase() : unit}`).join('')}"`;
}
