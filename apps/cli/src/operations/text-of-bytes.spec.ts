import { textOfBytes } from './text-of-bytes.js';

test('what a terminal would obey, or would turn around, is shown by its number', () => {
  const text = 'a\u001b[2Jb\u009bc\u202ed\u0000\r\nMüller & Söhne 北京';
  expect(textOfBytes(Buffer.from(text))).toBe('a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{0}\\u{d}\nMüller & Söhne 北京');
});

test('bytes that are no UTF-8 are shown, not refused', () => {
  expect(textOfBytes(Uint8Array.of(0x61, 0xff, 0x1b))).toBe('a\ufffd\\u{1b}');
});

test('JSON is laid out, and its texts are as harmless', () => {
  const shown = textOfBytes(Buffer.from('{"a":"\\u202e"}'));
  expect(shown).not.toContain('\u202e');
  expect(JSON.parse(shown)).toEqual({ a: '\u202e' });
});
