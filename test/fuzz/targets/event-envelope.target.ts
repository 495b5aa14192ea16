import fc from 'fast-check';
import { REFUSAL_CODES } from '@v402/domain';
import {
  CATALOGUE,
  encodeEvent,
  isTraceparent,
  MAX_EVENT_BYTES,
  type DataOf,
  type EventAttributes,
} from '@v402/events';
import type { Chance } from '../chance.js';
import { anyText } from '../hostile.js';
import { documentedError } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

const TYPE = 'org.v402.contract.rejected.v1';
type Rejected = DataOf<typeof TYPE>;

interface Input {
  readonly attributes: EventAttributes;
  readonly data: Rejected;
}

const DIGEST = fc.stringMatching(/^[0-9a-f]{64}$/);
const SEQUENCES = [undefined, undefined, undefined, 1, 0, -1, 1.5, NaN, 10_000_000_000];
const TIMES = ['2026-11-21T10:15:30.120Z', '2026-11-21T10:15:30.123456Z', '2026-11-21T10:15:30+00:00', '', '\0', 'now'];

function generate(chance: Chance): Input {
  const digest = chance.of(DIGEST);
  return {
    attributes: {
      source: 'urn:v402:handler:fuzz',
      subject: digest,
      subjectId: anyText(chance),
      n: chance.int(1, 9),
      time: chance.oneIn(8) ? chance.pick(TIMES) : (TIMES[1] ?? ''),
      sequence: chance.oneIn(8) ? chance.pick(SEQUENCES) : undefined,
      traceparent: anyText(chance),
      causationId: anyText(chance),
      correlationId: anyText(chance),
    },
    data: {
      code: chance.pick(REFUSAL_CODES),
      rawDigest: digest,
      size: chance.int(0, 10_000_000),
      kafka: { topic: anyText(chance), partition: 0, offset: String(chance.int(0, 9)) },
      arrival: { at: TIMES[0] ?? '', source: 'broker' },
      negotiationId: chance.oneIn(1_000) ? anyText(chance).repeat(200_000).slice(0, 1_000_000) : anyText(chance),
    },
  };
}

function run({ attributes, data }: Input): Outcome {
  try {
    const { id, key, bytes } = encodeEvent(TYPE, attributes, data);
    mustHold(bytes.length <= MAX_EVENT_BYTES, 'an event fits into a record');
    mustHold(/^[0-9a-f-]{36}$/.test(id) && key === attributes.subject, 'an event has its id and its key');
    const event = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    mustHold(
      event['id'] === id && event['type'] === TYPE && event['specversion'] === '1.0',
      'an event says what it is',
    );
    const trace = event['traceparent'];
    mustHold(trace === undefined || (typeof trace === 'string' && isTraceparent(trace)), 'trace context is one');
    if (!('data' in event)) return { kind: 'by reference', decided: id };
    mustHold(CATALOGUE[TYPE].topic === 'rejections', 'a rejection goes to its topic');
    return { kind: 'encoded', decided: bytes.toString('base64') };
  } catch (error) {
    return documentedError(error, ['event_time_invalid', 'event_sequence_invalid']);
  }
}

export const eventEnvelope = defineTarget('event-envelope', generate, run);
