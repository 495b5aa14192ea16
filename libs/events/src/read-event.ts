import { SIDES } from '@v402/domain';
import { z } from 'zod';
import { CATALOGUE, EVENT_TYPES, type EventType } from './catalogue.js';
import { ID_PARTS } from './id-parts.js';
import { eventId } from './identity.js';
import type { TopicKey } from './topics.js';

/** The attributes of an event, as `encodeEvent` writes them; `data` is looked at by the type's own schema. */
const envelopeSchema = z
  .strictObject({
    specversion: z.literal('1.0'),
    id: z.uuid(),
    source: z.string().regex(/^urn:v402:handler:[A-Za-z0-9._-]{1,64}$/),
    type: z.enum(EVENT_TYPES as readonly [EventType, ...EventType[]]),
    subject: z.string().regex(/^[0-9a-f]{64}$/),
    time: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/),
    partitionkey: z.string(),
    sequence: z
      .string()
      .regex(/^\d{10}$/)
      .optional(),
    sequencetype: z.literal('Integer').optional(),
    traceparent: z.string().optional(),
    causationid: z.uuid().optional(),
    correlationid: z.string().optional(),
    datacontenttype: z.literal('application/json').optional(),
    dataschema: z.string().optional(),
    data: z.record(z.string(), z.unknown()).optional(),
    dataref: z.string().optional(),
  })
  .refine(({ partitionkey, subject }) => partitionkey === subject)
  .refine(({ sequence, sequencetype }) => (sequence === undefined) === (sequencetype === undefined))
  .refine(({ data, datacontenttype }) => (data === undefined) === (datacontenttype === undefined))
  .refine(({ data, dataref, subject }) => (data === undefined) === (dataref === `urn:v402:settlement:${subject}`));

/** An event that was read back, its data checked by its schema. */
export interface ReadEvent {
  readonly id: string;
  readonly source: string;
  readonly type: EventType;
  readonly topicKey: TopicKey;
  readonly subject: string;
  readonly time: string;
  /** Undefined on the topic of rejections. */
  readonly sequence: number | undefined;
  readonly correlationId: string | undefined;
  /** Undefined where the event was too large to carry it, and has a `dataref` instead. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Reads an event as strictly as it was written.
 * @param json the JSON value that its bytes are. Whoever proves something by it reads them strictly: no member twice
 * @returns undefined for what `encodeEvent` never writes
 */
export function readEvent(json: unknown): ReadEvent | undefined {
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const { type, data, dataschema, sequence, correlationid, id, source, subject, time } = parsed.data;
  const definition = CATALOGUE[type];
  if (data !== undefined && (dataschema !== definition.dataschema || !definition.schema.safeParse(data).success)) {
    return undefined;
  }
  const numbered = sequence === undefined ? undefined : Number(sequence);
  if ((definition.topic === 'rejections') !== (numbered === undefined)) return undefined;
  const topicKey = definition.topic;
  return { id, source, type, topicKey, subject, time, sequence: numbered, correlationId: correlationid, data };
}

/**
 * The id that an event has to have by what it says. Of one too large to carry its data it cannot be told.
 * @param occurrence how often an event of this type and this side has occurred in its stream so far, this one included
 */
export function expectedEventId(event: ReadEvent, occurrence: number): string | undefined {
  const { data, type } = event;
  if (data === undefined) return undefined;
  const { subjectId, n } = ID_PARTS[type];
  const id = subjectId.map((template) => filled(template, data)).find((text) => text !== undefined);
  if (id === undefined) return undefined;
  const times = n === 'count' ? occurrence : n === '1' ? 1 : Number(data['attempt']);
  const side = SIDES.find((each) => each === data['side']);
  return eventId(event.source, event.subject, side, type, id, times);
}

/** A template with its `<member>`s filled in; undefined where one is not there. */
function filled(template: string, data: Readonly<Record<string, unknown>>): string | undefined {
  const names = [...template.matchAll(/<(\w+)>/g)].map(([, name = '']) => name);
  if (names.some((name) => typeof data[name] !== 'string')) return undefined;
  return template.replaceAll(/<(\w+)>/g, (_, name: string) => String(data[name]));
}
