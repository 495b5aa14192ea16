import type { IHeaders, KafkaMessage } from 'kafkajs';
import { toKafkaRecord } from './kafka-batch.js';

/** Headers as kafkajs decodes them, which its types do not tell in full. */
function headersOf(headers: object): Record<string, string> {
  const message: KafkaMessage = {
    key: null,
    value: null,
    timestamp: '1795256130120',
    attributes: 0,
    offset: '9223372036854775807',
    headers: headers as IHeaders,
  };
  const record = toKafkaRecord(message);
  return Object.fromEntries([...record.headers].map(([name, value]) => [name, value.toString('latin1')]));
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

test('a header has its value, byte for byte, whatever its name', () => {
  expect(
    headersOf({ traceparent: bytes('00-1'), '': bytes('nameless'), binary: bytes('\0\xff\xfe'), empty: bytes('') }),
  ).toEqual({ traceparent: '00-1', '': 'nameless', binary: '\0\xff\xfe', empty: '' });
});

test('the last of several values counts', () => {
  expect(headersOf({ twice: [bytes('a'), bytes('b')] })).toEqual({ twice: 'b' });
});

test.each([
  ['alone', null, {}],
  ['before a value', [null, bytes('a')], { x: 'a' }],
  ['after a value', [bytes('a'), null], { x: 'a' }],
  ['every time', [null, null], {}],
])('a null value counts for none: %s', (_where, values, expected) => {
  expect(headersOf({ x: values })).toEqual(expected);
});

test('a name that every object inherits is a name like another', () => {
  const decoded = { toString: [bytes('a')], constructor: [null], ['__proto__']: [bytes('b')] };
  expect(Object.entries(headersOf(decoded))).toEqual([
    ['toString', 'a'],
    ['__proto__', 'b'],
  ]);
});

test('a record without headers has none', () => {
  expect(headersOf({})).toEqual({});
});
