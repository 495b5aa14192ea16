import { printable, printableJson, printableLines } from './printable.js';

const ESCAPE = String.fromCodePoint(0x1b);
const HOSTILE: readonly [string, string, string][] = [
  ['a terminal escape sequence', `${ESCAPE}[2J`, String.raw`\u{1b}[2J`],
  ['its one-character form', String.fromCodePoint(0x9b), String.raw`\u{9b}`],
  ['a forged line', 'accepted\r\nstate  paid', String.raw`accepted\u{d}\u{a}state  paid`],
  ['NUL', 'a\0b', String.raw`a\u{0}b`],
  ['a bidirectional override', 'invoice\u202Etxt', String.raw`invoice\u{202e}txt`],
  ['a zero-width space', 'acme\u200B', String.raw`acme\u{200b}`],
  ['a tag character', `a${String.fromCodePoint(0xe0041)}`, String.raw`a\u{e0041}`],
  ['half a pair', '\uD800', String.raw`\u{d800}`],
  ['a line separator', '\u2028', String.raw`\u{2028}`],
];

test.each(HOSTILE)('default: %s is written, not done', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('behavior: what can be seen stays, in any script', () => {
  const text = 'Müller & Søn — 株式会社 😀 "x" \\ <b>';
  expect(printable(text)).toBe(text);
});

test('behavior: a longer text is cut, and a half of a pair at the cut is written', () => {
  expect(printable('abcdef', 3)).toBe('abc…');
  expect(printable('abc', 3)).toBe('abc');
  expect(printable('a😀', 2)).toBe(String.raw`a\u{d83d}…`);
});

test('behavior: of several lines the breaks stay, and nothing else', () => {
  expect(printableLines('a\r\nb\n\u2028c')).toBe('a\\u{d}\nb\n\\u{2028}c');
});

test.each(HOSTILE)('behavior: JSON with %s keeps its value and shows it', (_, text) => {
  const json = printableJson(JSON.stringify({ text }, null, 2));
  expect(JSON.parse(json)).toEqual({ text });
  expect(json.replaceAll('\n', '')).toBe(printable(json.replaceAll('\n', '')));
});
