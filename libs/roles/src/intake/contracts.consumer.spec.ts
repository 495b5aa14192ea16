import { NoFaults, type AcceptContractsHandler, type InboundMessage, type IntakeReport } from '@v402/application';
import type { KafkaRecord } from '@v402/messaging';
import { Metrics } from '@v402/observability';
import { ContractsConsumer } from './contracts.consumer.js';
import { toInboundMessage } from './inbound-record.js';
import { IntakeFlow } from './intake-flow.js';

const WHERE = { topic: 'contracts', partition: 2 };
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const NONE: IntakeReport = {
  accepted: 0,
  duplicates: 0,
  rejected: 0,
  quarantined: 0,
  undecidable: 0,
  refusals: new Map(),
};

const aRecord = (overrides: Partial<KafkaRecord> = {}): KafkaRecord => ({
  offset: 9_007_199_254_740_993n,
  key: Buffer.from('key'),
  value: Buffer.from('value'),
  timestampMs: Date.UTC(2026, 10, 21, 10, 15, 30, 120),
  timestampType: 'LogAppendTime',
  headers: new Map(),
  ...overrides,
});
const tracedBy = (header: string | Buffer): string | undefined =>
  toInboundMessage(WHERE, aRecord({ headers: new Map([['traceparent', Buffer.from(header)]]) })).traceparent;

test('default: coordinates and bytes as they are', () => {
  const record = aRecord();
  expect(toInboundMessage(WHERE, record)).toEqual({
    coordinates: { topic: 'contracts', partition: 2, offset: 9_007_199_254_740_993n },
    value: record.value,
    arrival: { at: '2026-11-21T10:15:30.120Z', source: 'broker' },
    traceparent: undefined,
  });
});

test('behavior: a tombstone stays one', () => {
  expect(toInboundMessage(WHERE, aRecord({ value: null })).value).toBeNull();
});

test("behavior: a producer's own timestamp is no arrival", () => {
  expect(toInboundMessage(WHERE, aRecord({ timestampType: 'CreateTime' })).arrival).toBeUndefined();
});

test('behavior: trace context goes along', () => {
  expect(tracedBy(TRACEPARENT)).toBe(TRACEPARENT);
});

test.each([
  ['nothing', ''],
  ['another version', TRACEPARENT.replace(/^00/, '01')],
  ['the version that is none', TRACEPARENT.replace(/^00/, 'ff')],
  ['capital letters', TRACEPARENT.toUpperCase()],
  ['a line break at its end', `${TRACEPARENT}\n`],
  ['something more', `${TRACEPARENT}-00`],
  ['a trace of zeros only', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
  ['a parent of zeros only', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`],
  ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe])],
])('behavior: a header of %s is left out', (_, header) => {
  expect(tracedBy(header)).toBeUndefined();
});

test('behavior: a batch is handed over whole and in order, and its failure is its own', async () => {
  const seen: (readonly InboundMessage[])[] = [];
  const failure = new Error('away');
  let fails = false;
  const handle = (messages: readonly InboundMessage[]): Promise<IntakeReport> => {
    seen.push(messages);
    return fails ? Promise.reject(failure) : Promise.resolve(NONE);
  };
  const consumer = new ContractsConsumer(
    { handle } as Partial<AcceptContractsHandler> as AcceptContractsHandler,
    new IntakeFlow(new Metrics(), { took: () => undefined, slowDown: () => Promise.resolve() }),
    new NoFaults(),
  );
  const batch = { ...WHERE, messages: [aRecord({ offset: 7n }), aRecord({ offset: 9n })] };
  await consumer.consume(batch);
  expect(seen.flat().map(({ coordinates }) => coordinates.offset)).toEqual([7n, 9n]);
  fails = true;
  await expect(consumer.consume(batch)).rejects.toBe(failure);
});
