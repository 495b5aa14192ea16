import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { PollingLoop } from './polling-loop.js';

/**
 * Ties a role's loop to the life of the application: it starts with it, all loops of a process are told to end at once,
 * and each has ended before the connections are closed.
 */
export class RoleLoop implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  constructor(private readonly loop: PollingLoop) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onModuleDestroy(): void {
    this.loop.end();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
