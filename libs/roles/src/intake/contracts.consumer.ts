import { Controller } from '@nestjs/common';
import { AcceptContractsHandler, FaultPoint } from '@v402/application';
import { KafkaBatchHandler, type KafkaBatch } from '@v402/messaging';
import { toInboundMessage } from './inbound-record.js';

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
