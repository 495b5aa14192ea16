import { DEFAULT_TOPICS, type DataOf } from '@v402/events';
import type { StoredEvent } from '../ports/event-store.js';
import type { StreamPosition } from '../ports/settlement-store.js';
import { SettlementStream } from './settlement-stream.js';

const NOW = 1_795_342_530_123_456n;
const CONTRACT_ID = 'a'.repeat(64);
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const START: StreamPosition = { settlement: 0, payments: 0, deliveries: 0, lastEventAt: undefined };

const members = {
  contractId: CONTRACT_ID,
  shortRef: '0123456789ABCDEFGHJKMNPQRS',
  negotiationId: 'neg-1',
  parties: { buyer: { id: 'buyer' }, seller: { id: 'seller' } },
};
const superseded: DataOf<'org.v402.settlement.superseded.v1'> = { ...members, supersededBy: 'b'.repeat(64) };
const scheduled: DataOf<'org.v402.payment.scheduled.v1'> = {
  ...members,
  side: 'buyer',
  role: 'payer',
  legId: 'p1',
  legNumber: 1,
  amount: { amount: '1.00', currency: 'EUR' },
  rail: 'sepa',
  trigger: { kind: 'agreed', days: 0, firedAt: '2026-11-21T10:15:30.120Z' },
  dueDate: '2026-11-21',
};

const streamAt = (position: StreamPosition = START, now = NOW): SettlementStream =>
  new SettlementStream(
    { source: 'urn:v402:handler:test', topics: { ...DEFAULT_TOPICS, payments: 'renamed.payments' } },
    { contractId: CONTRACT_ID, negotiationId: 'neg-1', traceparent: TRACEPARENT, position },
    now,
  );

const supersede = (stream: SettlementStream, n = 1): bigint =>
  stream.append('org.v402.settlement.superseded.v1', { subjectId: CONTRACT_ID, n }, superseded);

const schedule = (stream: SettlementStream, n = 1): bigint =>
  stream.append('org.v402.payment.scheduled.v1', { side: 'buyer', subjectId: 'p1', n }, scheduled);

const documentOf = ({ bytes }: StoredEvent): Record<string, unknown> =>
  JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;

test('counts each topic from 1 without gaps', () => {
  const stream = streamAt();
  supersede(stream);
  schedule(stream);
  supersede(stream, 2);
  schedule(stream, 2);
  schedule(stream, 3);
  expect(stream.events.map(({ topic, sequence }) => [topic, sequence])).toEqual([
    ['v402.settlement.events.v1', 1],
    ['renamed.payments', 1],
    ['v402.settlement.events.v1', 2],
    ['renamed.payments', 2],
    ['renamed.payments', 3],
  ]);
  expect(stream.position).toMatchObject({ settlement: 2, payments: 3, deliveries: 0 });
});

test('gives times that strictly increase over all topics, however many fall on one moment', () => {
  const stream = streamAt();
  expect([supersede(stream), schedule(stream), supersede(stream, 2)]).toEqual([NOW, NOW + 1n, NOW + 2n]);
  expect(stream.position.lastEventAt).toBe(NOW + 2n);
});

test.each([
  ['the clock has moved on', NOW - 1n, NOW],
  ['the last event is of this very moment', NOW, NOW + 1n],
  ['the clock has gone back', NOW + 5_000n, NOW + 5_001n],
])('goes on where it stopped: %s', (_, lastEventAt, expected) => {
  const stream = streamAt({ settlement: 41, payments: 7, deliveries: 3, lastEventAt });
  expect(supersede(stream)).toBe(expected);
  expect(stream.events).toMatchObject([{ sequence: 42, occurredAt: expected }]);
  expect(stream.position).toEqual({ settlement: 42, payments: 7, deliveries: 3, lastEventAt: expected });
});

test('writes what it gave out into the document, to the microsecond', () => {
  const stream = streamAt();
  schedule(stream);
  const [event] = stream.events;
  expect(event).toMatchObject({ type: 'org.v402.payment.scheduled.v1', stream: CONTRACT_ID });
  expect(documentOf(event!)).toMatchObject({
    id: event!.id,
    source: 'urn:v402:handler:test',
    subject: CONTRACT_ID,
    time: '2026-11-22T10:15:30.123456Z',
    sequence: '0000000001',
    traceparent: TRACEPARENT,
    correlationid: 'neg-1',
    data: scheduled,
  });
});

test('the id of an event depends on what it tells, not on its place or its time', () => {
  const [early, late] = [streamAt(), streamAt({ ...START, settlement: 9 }, NOW + 1_000_000n)];
  supersede(early);
  supersede(late);
  supersede(late, 2);
  const ids = [...early.events, ...late.events].map(({ id }) => id);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[2]).not.toBe(ids[0]);
});

test('does not change the position that it began with', () => {
  const position = { ...START };
  supersede(streamAt(position));
  expect(position).toEqual(START);
});
