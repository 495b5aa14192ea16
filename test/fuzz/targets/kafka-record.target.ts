import fc from 'fast-check';
import { rawMessageOf } from '@v402/application';
import { isInstant } from '@v402/domain';
import type { KafkaMessage } from 'kafkajs';
import { toKafkaRecord } from '../../../libs/messaging/src/kafka-batch.js';
import { toInboundMessage } from '../../../libs/roles/src/intake/inbound-record.js';
import type { Chance } from '../chance.js';
import { anyText } from '../hostile.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const BYTES = fc.uint8Array({ maxLength: 80 });
const INT64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** The broker's own clock: from 1970 to the end of the year 9999. */
const BROKER_TIME = fc.bigInt({ min: 0n, max: 253_402_300_799_999n });

interface Input {
  readonly message: Omit<KafkaMessage, 'headers'> & { readonly batchContext?: unknown };
  readonly headers: readonly (readonly [string, unknown])[] | undefined;
}

function anyBytes(chance: Chance): Buffer {
  return Buffer.from(chance.oneIn(2) ? chance.of(BYTES) : Buffer.from(anyText(chance), 'utf8'));
}

/** Kafka lets a header have no value, any bytes, and come many times. */
function anyHeaderValue(chance: Chance): unknown {
  const value = (): Buffer | null => (chance.oneIn(4) ? null : anyBytes(chance));
  return chance.oneIn(3) ? Array.from({ length: chance.int(0, 5) }, value) : value();
}

function traceparent(chance: Chance): Buffer {
  const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const place = chance.int(0, good.length);
  return Buffer.from(`${good.slice(0, place)}${chance.oneIn(3) ? '' : anyText(chance)}${good.slice(place)}`, 'utf8');
}

function generate(chance: Chance): Input {
  const isBrokerTime = chance.oneIn(2);
  const names = Array.from({ length: chance.int(0, 6) }, () => anyText(chance));
  return {
    message: {
      key: chance.oneIn(3) ? null : anyBytes(chance),
      value: chance.oneIn(6) ? null : anyBytes(chance),
      timestamp: String(chance.of(isBrokerTime ? BROKER_TIME : INT64)),
      offset: String(chance.of(INT64)),
      attributes: 0,
      ...(!chance.oneIn(8) && { batchContext: chance.oneIn(8) ? null : { timestampType: isBrokerTime ? 1 : 0 } }),
    },
    headers: chance.oneIn(8)
      ? undefined
      : [...names.map((name) => [name, anyHeaderValue(chance)] as const), ['traceparent', traceparent(chance)]],
  };
}

function run({ message, headers }: Input): Outcome {
  // Buffers come back from a saved input as plain bytes.
  const asBuffer = (bytes: unknown): unknown => (bytes instanceof Uint8Array ? Buffer.from(bytes) : bytes);
  const own = headers?.map(([name, value]) => [name, Array.isArray(value) ? value.map(asBuffer) : asBuffer(value)]);
  const value = message.value === null ? null : Buffer.from(message.value);
  const asReceived = { ...message, value, ...(own && { headers: Object.fromEntries(own) as object }) } as KafkaMessage;
  const inbound = toInboundMessage({ topic: 'contracts', partition: 0 }, toKafkaRecord(asReceived));
  const { arrival, traceparent: trace, coordinates } = inbound;
  mustHold(trace === undefined || TRACEPARENT.test(trace), 'a traceparent is one');
  mustHold(arrival === undefined || (arrival.source === 'broker' && isInstant(arrival.at)), 'an arrival is an instant');
  const trusted = typeof message.batchContext === 'object' && JSON.stringify(message.batchContext).includes('1');
  mustHold((arrival !== undefined) === trusted, "only the broker's time is an arrival");
  mustHold(coordinates.offset === BigInt(message.offset), 'the offset is exact');
  const { digest, size } = rawMessageOf(inbound.value);
  mustHold(size === (value?.length ?? 0), 'the bytes are kept as they are');
  return {
    kind: `${arrival === undefined ? 'untimed' : 'timed'} ${trace === undefined ? 'untraced' : 'traced'}`,
    decided: { arrival, trace, digest },
  };
}

export const kafkaRecord = defineTarget('kafka-record', generate, run);
