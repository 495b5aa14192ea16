import type { InboundMessage } from '@v402/application';
import { isTraceparent } from '@v402/events';
import type { KafkaBatch, KafkaRecord } from '@v402/messaging';

/** A record as intake takes it. Total: nothing that a producer may write makes it throw. */
export function toInboundMessage(
  { topic, partition }: Pick<KafkaBatch, 'topic' | 'partition'>,
  record: KafkaRecord,
): InboundMessage {
  const { offset, value, timestampType, timestampMs, headers } = record;
  const isBrokerTime = timestampType === 'LogAppendTime';
  return {
    coordinates: { topic, partition, offset },
    value,
    // A producer's own timestamp proves nothing.
    arrival: isBrokerTime ? { at: new Date(timestampMs).toISOString(), source: 'broker' } : undefined,
    traceparent: traceparentOf(headers.get('traceparent')),
  };
}

/** W3C trace context; a header that is none is left out, as the recommendation says. */
function traceparentOf(header: Buffer | undefined): string | undefined {
  const text = header?.toString('latin1');
  return text !== undefined && isTraceparent(text) ? text : undefined;
}
