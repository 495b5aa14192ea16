import type { Chance } from './chance.js';

/** Pieces that mean something to a JSON reader or to a decoder of UTF-8. */
const TOKENS: readonly Uint8Array[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    'null',
    'true',
    '-0',
    '1e9',
    '1.0',
    '"":',
    '0',
    '\n',
    ' ',
  ],
  ...[
    '"__proto__":1,',
    '"spec":',
    '9007199254740992',
    '/**/',
    "'",
    'NaN',
    '{"contract":',
    '"signatures":[]',
    '[['.repeat(20),
  ],
].map((text) => Buffer.from(text, 'utf8'));
const BAD_UTF8: readonly Uint8Array[] = [
  [0xef, 0xbb, 0xbf],
  [0xff],
  [0xfe],
  [0x80],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xe0, 0x80, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xe2, 0x82],
  [0],
].map((bytes) => Uint8Array.from(bytes));

/** Changes bytes in a few places, whatever they mean. */
export function mutateBytes(bytes: Uint8Array, chance: Chance): Uint8Array {
  let changed = bytes;
  for (let left = chance.pick([1, 1, 1, 2, 4]); left > 0; left -= 1) changed = mutateOnce(changed, chance);
  return changed;
}

function mutateOnce(bytes: Uint8Array, chance: Chance): Uint8Array {
  const at = chance.int(0, bytes.length);
  const end = Math.min(bytes.length, at + chance.int(1, 16));
  const replaced = (start: number, stop: number, ...middle: Uint8Array[]): Uint8Array =>
    Buffer.concat([bytes.subarray(0, start), ...middle, bytes.subarray(stop)]);
  switch (chance.int(0, 7)) {
    case 0:
      return replaced(at, Math.min(bytes.length, at + 1), Uint8Array.of((bytes[at] ?? 0) ^ (1 << chance.int(0, 7))));
    case 1:
      return replaced(at, Math.min(bytes.length, at + 1), Uint8Array.of(chance.int(0, 255)));
    case 2:
      return replaced(at, at, chance.pick(TOKENS));
    case 3:
      return replaced(at, at, chance.pick(BAD_UTF8));
    case 4:
      return replaced(at, end);
    case 5:
      return replaced(at, at, bytes.subarray(at, end));
    case 6:
      return bytes.subarray(0, at);
    default:
      return replaced(at, end, chance.pick(TOKENS));
  }
}
