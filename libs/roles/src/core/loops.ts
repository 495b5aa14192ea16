import type { Logger } from '@v402/observability';
import type { InProcessWake } from './in-process-wake.js';
import type { Operations } from './operations.js';
import { PollingLoop, type LoopOptions } from './polling-loop.js';
import { RoleLoop } from './role-loop.js';

/** Makes the loops of the roles, each of them a check of readiness. */
export class Loops {
  constructor(
    private readonly wake: InProcessWake,
    private readonly log: Logger,
    private readonly operations: Operations,
  ) {}

  /** @param roundLimitMs what a round may take by its own limits; what it takes beyond counts as standing still */
  of(options: LoopOptions, { roundLimitMs }: { readonly roundLimitMs: number }): RoleLoop {
    const { health, unreadyAfterMs } = this.operations;
    const loop = new PollingLoop(options, this.wake, this.log);
    health.add(options.topic, () =>
      loop.trouble({ failingMs: unreadyAfterMs, roundMs: roundLimitMs + unreadyAfterMs }),
    );
    return new RoleLoop(loop);
  }
}
