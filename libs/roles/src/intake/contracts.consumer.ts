import { Controller } from '@nestjs/common';
import { AcceptContractsHandler, FaultPoint } from '@v402/application';
import { KafkaBatchHandler, type KafkaBatch } from '@v402/messaging';
import { IntakeFlow } from './intake-flow.js';
import { toInboundMessage } from './inbound-record.js';

/** Takes the contracts topic in batches. When `consume` returns, every message of the batch is decided and committed. */
@Controller()
export class ContractsConsumer {
  constructor(
    private readonly handler: AcceptContractsHandler,
    private readonly flow: IntakeFlow,
    private readonly faults: FaultPoint,
  ) {}

  @KafkaBatchHandler('contracts')
  async consume(batch: KafkaBatch): Promise<void> {
    const messages = batch.messages.map((record) => toInboundMessage(batch, record));
    await this.flow.take(messages.length, () => this.handler.handle(messages));
    await this.faults.reach('C8');
  }
}
