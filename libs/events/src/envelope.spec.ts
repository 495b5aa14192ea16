import { CloudEvent } from 'cloudevents';
import { EVENT_TYPES, type DataOf, type EventType } from './catalogue.js';
import { readExamples } from './docs/examples.js';
import { encodeEvent, isTraceparent, MAX_EVENT_BYTES, type EncodedEvent, type EventAttributes } from './envelope.js';
import { eventId } from './identity.js';

const ACCEPTED = 'org.v402.settlement.accepted.v1';
const REJECTED = 'org.v402.contract.rejected.v1';

const examples = await readExamples();

const exampleDataOf = <T extends EventType>(type: T): DataOf<T> =>
  (JSON.parse(examples[type]) as { data: DataOf<T> }).data;

const { contractId } = exampleDataOf(ACCEPTED);

const attributes: EventAttributes = {
  source: 'urn:v402:handler:test',
  subject: contractId,
  subjectId: contractId,
  n: 1,
  time: '2026-11-21T10:15:31.480352Z',
  sequence: 1,
};

const encode = (overrides: Partial<EventAttributes> = {}): EncodedEvent =>
  encodeEvent(ACCEPTED, { ...attributes, ...overrides }, exampleDataOf(ACCEPTED));

const parsed = (event: EncodedEvent): Record<string, unknown> =>
  JSON.parse(event.bytes.toString()) as Record<string, unknown>;

describe('encodeEvent', () => {
  test('default: exactly the documented attributes', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(isTraceparent(traceparent)).toBe(true);
    const event = encode({ side: 'seller', traceparent, causationId: 'cause', correlationId: 'neg-1' });
    const id = eventId(attributes.source, contractId, 'seller', ACCEPTED, contractId, 1);
    expect(event).toMatchObject({ id, type: ACCEPTED, topicKey: 'settlement', key: contractId });
    expect(parsed(event)).toEqual({
      specversion: '1.0',
      id,
      source: 'urn:v402:handler:test',
      type: ACCEPTED,
      subject: contractId,
      time: '2026-11-21T10:15:31.480352Z',
      datacontenttype: 'application/json',
      dataschema: 'urn:v402:schema:settlement.accepted:1',
      partitionkey: contractId,
      sequence: '0000000001',
      sequencetype: 'Integer',
      traceparent,
      causationid: 'cause',
      correlationid: 'neg-1',
      data: exampleDataOf(ACCEPTED),
    });
  });

  test.each(EVENT_TYPES)('behavior: %s is a valid CloudEvent to the SDK', (type) => {
    expect(new CloudEvent(JSON.parse(examples[type]) as object).validate()).toBe(true);
  });

  test('behavior: the SDK refuses an event without its source (so the test above can fail)', () => {
    const { source, ...rest } = parsed(encode());
    expect(source).toBeDefined();
    expect(() => new CloudEvent(rest)).toThrow();
  });

  test('behavior: the same input gives the same bytes', () => {
    expect(encode().bytes.equals(encode().bytes)).toBe(true);
  });

  test('behavior: a Date is written in milliseconds', () => {
    expect(parsed(encode({ time: new Date('2026-11-21T10:15:31.480Z') }))).toHaveProperty(
      'time',
      '2026-11-21T10:15:31.480Z',
    );
  });

  test('behavior: a rejection has no sequence', () => {
    const { sequence, ...rest } = attributes;
    expect(sequence).toBe(1);
    const event = encodeEvent(REJECTED, rest, exampleDataOf(REJECTED));
    expect(event.topicKey).toBe('rejections');
    expect(parsed(event)).not.toHaveProperty('sequence');
    expect(parsed(event)).not.toHaveProperty('sequencetype');
  });

  test.each([
    'garbage',
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
    '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n',
    '',
  ])('behavior: leaves out the trace context %s', (traceparent) => {
    expect(isTraceparent(traceparent)).toBe(false);
    expect(parsed(encode({ traceparent }))).not.toHaveProperty('traceparent');
  });

  test.each(['2026-11-21 10:15:31+00', '2026-11-21T10:15:31+01:00', ''])('error: event_time_invalid for %j', (time) => {
    expect(() => encode({ time })).toThrow(
      expect.objectContaining({ kind: 'terminal', code: 'event_time_invalid' }) as Error,
    );
  });

  test.each([undefined, 0, -1, 1.5, 10_000_000_000])('error: event_sequence_invalid for %s', (sequence) => {
    expect(() => encode({ sequence })).toThrow(
      expect.objectContaining({ kind: 'terminal', code: 'event_sequence_invalid' }) as Error,
    );
  });

  test('error: event_sequence_invalid for a rejection that has one', () => {
    expect(() => encodeEvent(REJECTED, attributes, exampleDataOf(REJECTED))).toThrow(
      expect.objectContaining({ code: 'event_sequence_invalid' }) as Error,
    );
  });
});

describe('encodeEvent, large data', () => {
  const withExtension = (characters: number): EncodedEvent =>
    encodeEvent(ACCEPTED, attributes, {
      ...exampleDataOf(ACCEPTED),
      extensions: { 'com.example.note': 'é'.repeat(Math.floor(characters / 2)) + 'x'.repeat(characters % 2) },
    });
  const overhead = withExtension(0).bytes.length;

  test('behavior: an event of exactly the limit, counted in bytes, keeps its data', () => {
    const event = withExtension(MAX_EVENT_BYTES - overhead);
    expect(event.bytes).toHaveLength(MAX_EVENT_BYTES);
    expect(parsed(event)).toHaveProperty('data');
  });

  test('behavior: one byte more carries a dataref, under the same id', () => {
    const event = withExtension(MAX_EVENT_BYTES - overhead + 1);
    const { data, datacontenttype, dataschema, ...context } = parsed(encode());
    expect([data, datacontenttype, dataschema]).not.toContain(undefined);
    expect(parsed(event)).toEqual({ ...context, dataref: `urn:v402:settlement:${contractId}` });
    expect(new CloudEvent(parsed(event)).validate()).toBe(true);
  });
});
