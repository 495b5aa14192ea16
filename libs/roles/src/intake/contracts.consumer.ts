import { Controller } from '@nestjs/common';
import { AcceptContractsHandler, FaultPoint, type InboundMessage } from '@v402/application';
import { isTraceparent } from '@v402/events';
import { KafkaBatchHandler, type KafkaBatch, type KafkaRecord } from '@v402/messaging';

/** Takes the contracts topic in batches. When `consume` returns, every message of the batch is decided and committed. */
@Controller()
export class ContractsConsumer {
  constructor(
    private readonly handler: AcceptContractsHandler,
    private readonly faults: FaultPoint,
  ) {}

  @KafkaBatchHandler('contracts')
  async consume(batch: KafkaBatch): Promise<void> {
    await this.handler.handle(batch.messages.map((record) => toInboundMessage(batch, record)));
    await this.faults.reach('C8');
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

/** W3C trace context; a header that is none is left out, as the recommendation says. */
function traceparentOf(header: Buffer | undefined): string | undefined {
  const text = header?.toString('latin1');
  return text !== undefined && isTraceparent(text) ? text : undefined;
}
