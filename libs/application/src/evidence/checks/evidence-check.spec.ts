import { encodeEvent } from '@v402/events';
import { eventOf } from './evidence-check.js';

const digest = 'ab'.repeat(32);
const { bytes } = encodeEvent(
  'org.v402.contract.rejected.v1',
  { source: 'urn:v402:handler:test', subject: digest, subjectId: 'malformed_json', n: 1, time: '2026-11-21T10:15:30Z' },
  {
    code: 'malformed_json',
    rawDigest: digest,
    size: 7,
    kafka: { topic: 'v402.settlement.contracts.v1', partition: 0, offset: '1' },
    arrival: { at: '2026-11-21T10:15:30Z', source: 'broker' },
  },
);

test('default: an event is what its bytes say', () => {
  expect(eventOf(bytes)).toMatchObject({ type: 'org.v402.contract.rejected.v1', data: { rawDigest: digest } });
});

test.each([
  ['with a member twice', bytes.toString().replace('"size":7', '"size":8,"size":7')],
  [
    'with a member twice, once under an escaped name',
    bytes.toString().replace('"size":7', String.raw`"s\u0069ze":8,"size":7`),
  ],
  ['that are no JSON', 'no json'],
  ['of something else', '{}'],
])('error: bytes %s are no event', (_, text) => {
  expect(eventOf(Buffer.from(text))).toBeUndefined();
});
