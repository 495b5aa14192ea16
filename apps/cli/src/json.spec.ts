import { printable } from '@v402/domain';
import { toJson } from './json.js';

test('default: what JSON has no form for is text: large numbers, bytes', () => {
  const value = {
    offset: 9_007_199_254_740_993n,
    bytes: Buffer.from('v402'),
    view: Uint8Array.of(1),
    list: [1n, null],
  };
  expect(JSON.parse(toJson(value))).toEqual({
    offset: '9007199254740993',
    bytes: 'djQwMg==',
    view: 'AQ==',
    list: ['1', null],
  });
});

test('behavior: what a member is called decides nothing', () => {
  expect(JSON.parse(toJson({ at: 5n, since: 5n, position: 5n }))).toEqual({ at: '5', since: '5', position: '5' });
});

test('behavior: names and texts keep their value, and do nothing to a terminal', () => {
  const hostile = { '\u001b[31mX': '\u009b2J\u202E', list: ['\u2028'] };
  const json = toJson(hostile);
  expect(JSON.parse(json)).toEqual(hostile);
  expect(json.replaceAll('\n', '')).toBe(printable(json.replaceAll('\n', '')));
});
