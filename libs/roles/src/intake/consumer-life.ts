import type { BeforeApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import type { KafkaBatchStrategy } from '@v402/messaging';
import type { BacklogGate } from './backlog-gate.js';

/** Ends consumption with the loops, not after them: no batch is begun once the process is to end. */
export class ConsumerLife implements OnModuleDestroy, BeforeApplicationShutdown {
  #closed: Promise<void> = Promise.resolve();

  constructor(
    private readonly strategy: KafkaBatchStrategy,
    private readonly gate: BacklogGate,
  ) {}

  onModuleDestroy(): void {
    this.gate.end();
    this.#closed = this.strategy.close();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#closed;
  }
}
