import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { PollingLoop } from './polling-loop.js';

/** Ties a role's loop to the life of the application: it starts with it, and ends before the connections are closed. */
export class RoleLoop implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly loop: PollingLoop) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
