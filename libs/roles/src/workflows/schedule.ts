import { RunJobsHandler, type Alarms, type Job, type UnitOfWork } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import type { Loops } from '../core/loops.js';
import type { RoleLoop } from '../core/role-loop.js';

/** What a periodic job may use. */
export interface JobParts {
  readonly config: RoleConfig<'workflows'>;
  readonly unitOfWork: UnitOfWork;
  readonly alarms: Alarms;
}

/**
 * Every periodic job of the system, one line each: name, period, run. Each runs once per period over all processes of the
 * workflows role; when it is due stands in the table `job`.
 */
export const periodicJobs: (parts: JobParts) => readonly Job[] = () => [];

const BACKOFF = { firstMs: 1_000, maxMs: 300_000 };

/** The schedule of this process: claims jobs that are due and runs them. */
export function scheduleLoop(parts: JobParts, owner: string, loops: Loops): RoleLoop {
  const { V402_LEASE_MS: leaseMs, V402_POLL_MS: pollMs } = parts.config;
  const policy = { leaseMs, backoff: BACKOFF };
  const handler = new RunJobsHandler(parts.unitOfWork, periodicJobs(parts), policy, owner, parts.alarms);
  const round = (): Promise<number> => handler.handle();
  return loops.of({ topic: 'schedule', pollMs, round, onStop: () => handler.stop() }, { roundLimitMs: leaseMs });
}
