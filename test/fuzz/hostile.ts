import fc from 'fast-check';
import type { JsonValue } from '@v402/contract';
import type { Chance } from './chance.js';

const of = (...codePoints: number[]): string => String.fromCodePoint(...codePoints);

/** Texts that break what takes them for something else. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  of(0x1b) + '[2J',
  of(0x9b) + '31m',
  '\r\n',
  'a\r\nSet-Cookie: x',
  '{"level":50,"msg":"forged"}\n',
  of(0x7f),
  of(0xfeff),
  of(0x202e) + 'cod.exe',
  of(0x2066),
  of(0x200b),
  of(0xfffe),
  of(0xfdd0),
  of(0x10ffff),
  '\ud800',
  '\udc00\ud800',
  'é',
  'e\u0301',
  'did:web:buy\u0435r.example',
  'ｄid:web:buyer.example',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  "'; DROP TABLE v402.settlement; --",
  '" OR 1=1 --',
  '\\x00',
  '$1',
  '{{7*7}}',
  '${jndi:ldap://x/y}',
  '<script>alert(1)</script>',
  '=HYPERLINK("http://x")',
  '@SUM(1+1)*cmd|x',
  '../../../../etc/passwd',
  'http://169.254.169.254/latest/meta-data',
  'NaN',
  'Infinity',
  '-0',
  '-0.00',
  '1e2',
  '1E400',
  '0x10',
  '01',
  '1.',
  '.5',
  '+1',
  '٣',
  '999999999999999999.999999999',
  '1000000000000000000',
  '0.0000000001',
  '-999999999999999999',
  '9007199254740993',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '2026-02-29T00:00:00Z',
  '2026-11-21T24:00:00Z',
  '2026-11-21T10:15:60Z',
  '2026-11-21t10:15:30z',
  '2026-11-21T10:15:30+00:00',
  `2026-11-21T10:15:30.${'0'.repeat(200)}1Z`,
  'EUR',
  'XXX',
  'BTC',
  'x'.repeat(513),
  '😀'.repeat(512),
  '😀'.repeat(513),
  'a'.repeat(32_769),
];

export const HOSTILE_VALUES: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  7,
  8,
  3_651,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  [],
  {},
  [[]],
  [null],
  { a: 1 },
];

/** A string of any kind: of fast-check's, or one of those above. */
export function anyText(chance: Chance): string {
  return chance.oneIn(2) ? chance.pick(HOSTILE_TEXTS) : chance.of(TEXT);
}

const TEXT = fc.string({ unit: 'binary', maxLength: 40 });
/** Any JSON value, with members named like those of a prototype, and with the numbers that a contract may have. */
const JSON_VALUE = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: false },
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 6 }),
    fc
      .array(
        fc.tuple(
          fc.oneof(fc.constantFrom('__proto__', 'constructor', 'a', 'b', ''), fc.string({ maxLength: 8 })),
          tie('value'),
        ),
        { maxLength: 6 },
      )
      .map((members) => ownObject(members)),
  ),
})).value;

export function anyJson(chance: Chance): JsonValue {
  return chance.of(JSON_VALUE);
}

/** An object with just these members, `__proto__` as an own one too. */
export function ownObject(members: readonly (readonly [string, JsonValue])[]): { readonly [name: string]: JsonValue } {
  return Object.fromEntries(members);
}
