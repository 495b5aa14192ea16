import { TerminalError, type Side } from '@v402/domain';
import type { CloudEventV1 } from 'cloudevents';
import { CATALOGUE, type DataOf, type EventType } from './catalogue.js';
import { eventId } from './identity.js';
import type { TopicKey } from './topics.js';

/** An event over this many bytes carries a `dataref` instead of its data, so that every broker takes it. */
export const MAX_EVENT_BYTES = 900_000;

export interface EventAttributes {
  /** `handlerSource(instanceId)`. */
  readonly source: string;
  /** The contractId; of a rejection without one, the SHA-256 of the raw bytes. Also the Kafka key. */
  readonly subject: string;
  /** Whose row changed; absent where the event is about the contract itself. */
  readonly side?: Side | undefined;
  /**
   * Which order, leg, delivery, hold, … of the subject the event is about: an id that is stable and, with the type and
   * the side, unique within the subject. A rejection's is `<rawDigest>:<code>`.
   */
  readonly subjectId: string;
  /** How often that one has entered this state, from 1: a counter on its row. */
  readonly n: number;
  /** When the state changed, by the database's clock; as text RFC 3339 in UTC, whose digits are kept. */
  readonly time: Date | string;
  /** Per settlement and topic, from 1, without gaps; none on the topic of rejections. */
  readonly sequence?: number | undefined;
  /** From the contract's Kafka header; one that is not W3C trace context is left out. */
  readonly traceparent?: string | undefined;
  /** The id of the event that caused this one. */
  readonly causationId?: string | undefined;
  /** The negotiationId. */
  readonly correlationId?: string | undefined;
}

/** What the relay needs to publish an event. */
export interface EncodedEvent {
  readonly id: string;
  readonly type: EventType;
  readonly topicKey: TopicKey;
  /** The Kafka key. */
  readonly key: string;
  /** The Kafka value: CloudEvents 1.0 JSON, UTF-8. */
  readonly bytes: Buffer;
}

/**
 * Encodes an event as a CloudEvents 1.0 structured JSON document, the same bytes for the same input.
 * Built here and not by the SDK's class, whose serialization cuts `time` to milliseconds.
 * @throws TerminalError `event_time_invalid`, `event_sequence_invalid`
 */
export function encodeEvent<T extends EventType>(type: T, attributes: EventAttributes, data: DataOf<T>): EncodedEvent {
  const { topic, dataschema } = CATALOGUE[type];
  const { source, subject, side, subjectId, n } = attributes;
  const id = eventId(source, subject, side, type, subjectId, n);
  const context = {
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time: timeText(attributes.time),
    partitionkey: subject,
    ...sequenceAttributes(topic, attributes.sequence),
    ...traceAttributes(attributes),
  };
  const whole = toBytes({ ...context, datacontenttype: 'application/json', dataschema, data });
  const bytes =
    whole.length <= MAX_EVENT_BYTES ? whole : toBytes({ ...context, dataref: `urn:v402:settlement:${subject}` });
  return { id, type, topicKey: topic, key: subject, bytes };
}

function toBytes(event: CloudEventV1<unknown>): Buffer {
  return Buffer.from(JSON.stringify(event));
}

function timeText(time: Date | string): string {
  const text = typeof time === 'string' ? time : time.toISOString();
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)) {
    throw new TerminalError('event_time_invalid', 'The time of an event is RFC 3339 in UTC.', { time: text });
  }
  return text;
}

/** The CloudEvents extension `sequence` wants a string that sorts as the number does. */
function sequenceAttributes(topic: TopicKey, sequence: number | undefined): Record<string, string> {
  const numbered = sequence !== undefined;
  const inRange = numbered && Number.isInteger(sequence) && sequence >= 1 && sequence <= 9_999_999_999;
  if (topic === 'rejections' ? numbered : !inRange) {
    throw new TerminalError(
      'event_sequence_invalid',
      'Events have a sequence from 1 to 9999999999; rejections have none.',
      { topic, sequence: sequence ?? null },
    );
  }
  return numbered ? { sequence: String(sequence).padStart(10, '0'), sequencetype: 'Integer' } : {};
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Whether the text is a `traceparent` of W3C trace context, version 00. The header comes from outside, and what is not
 * one is to be ignored.
 */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text);
}

function traceAttributes({ traceparent, causationId, correlationId }: EventAttributes): Record<string, string> {
  return {
    ...(traceparent !== undefined && isTraceparent(traceparent) && { traceparent }),
    ...(causationId !== undefined && { causationid: causationId }),
    ...(correlationId !== undefined && { correlationid: correlationId }),
  };
}
