import { Controller } from '@nestjs/common';
import { AcceptContractsHandler, type InboundMessage } from '@v402/application';
import { KafkaBatchHandler, type KafkaBatch, type KafkaRecord } from '@v402/messaging';

/** Takes the contracts topic in batches. When `consume` returns, every message of the batch is decided and committed. */
@Controller()
export class ContractsConsumer {
  constructor(private readonly handler: AcceptContractsHandler) {}

  @KafkaBatchHandler('contracts')
  async consume(batch: KafkaBatch): Promise<void> {
    await this.handler.handle(batch.messages.map((record) => toInboundMessage(batch, record)));
  }
}

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

/** Version 00; an id of zeros only is none. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C trace context; a header that is none is left out, as the recommendation says. */
function traceparentOf(header: Buffer | undefined): string | undefined {
  const text = header?.toString('latin1');
  return text !== undefined && TRACEPARENT.test(text) ? text : undefined;
}
