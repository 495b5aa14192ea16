import { instantOption, partiesOption, wholeNumberOption } from './options.js';

test('an instant is taken as it is written', () => {
  expect(instantOption('2026-11-21T10:15:30.1200Z')).toBe('2026-11-21T10:15:30.1200Z');
});

test.each(['2026-11-21', '2026-11-21T10:15:30+01:00', '2026-02-29T00:00:00Z', ''])('%s is no instant', (text) => {
  expect(() => instantOption(text)).toThrow('An instant is like');
});

test('a whole number is taken from its minimum on', () => {
  expect(wholeNumberOption(0)('0')).toBe(0);
  expect(wholeNumberOption(1)('12')).toBe(12);
});

test.each(['0', '-1', '1.5', '1e3', '', ' 1', '9999999999'])('"%s" is no whole number from 1 on', (text) => {
  expect(() => wholeNumberOption(1)(text)).toThrow('A whole number from 1 on.');
});

test('parties are a list', () => {
  expect(partiesOption('did:web:a.example, did:web:b.example')).toEqual(['did:web:a.example', 'did:web:b.example']);
});

test.each(['', 'a,,b', ','])('"%s" is no list of parties', (text) => {
  expect(() => partiesOption(text)).toThrow('Ids of parties');
});
