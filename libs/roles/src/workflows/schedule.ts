import { RunJobsHandler, type Alarms, type Job, type UnitOfWork, type Wake } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { timed, type Metrics } from '@v402/observability';
import type { Loops } from '../core/loops.js';
import type { RoleLoop } from '../core/role-loop.js';
import { reconciliationJob } from './reconciliation.job.js';
import { sweep } from './sweep.js';

/** What a periodic job may use. */
export interface JobParts {
  readonly config: RoleConfig<'workflows'>;
  readonly unitOfWork: UnitOfWork;
  readonly wake: Wake;
  readonly alarms: Alarms;
  readonly metrics: Metrics;
}

/**
 * Every periodic job of the system, one line each: name, period, run. Each runs once per period over all processes of the
 * workflows role; when it is due stands in the table `job`.
 */
export const periodicJobs = (parts: JobParts): readonly Job[] => [
  { name: 'sweep', periodMs: parts.config.V402_SWEEP_MS, run: sweep(parts) },
  ...reconciliationJob(parts),
];

const BACKOFF = { firstMs: 1_000, maxMs: 300_000 };

/** The job, with its runs counted. */
const counted =
  (metrics: Metrics) =>
  (job: Job): Job => ({
    ...job,
    run: (signal) =>
      timed(
        () => job.run(signal),
        () => 'succeeded',
        (outcome) => {
          metrics.count('v402_job_runs_total', { job: job.name, outcome });
        },
        () => 'failed',
      ),
  });

/** The schedule of this process: claims jobs that are due and runs them. */
export function scheduleLoop(parts: JobParts, owner: string, loops: Loops): RoleLoop {
  const { V402_LEASE_MS: leaseMs, V402_POLL_MS: pollMs } = parts.config;
  const policy = { leaseMs, backoff: BACKOFF };
  const handler = new RunJobsHandler(
    parts.unitOfWork,
    periodicJobs(parts).map(counted(parts.metrics)),
    policy,
    owner,
    parts.alarms,
  );
  const round = (): Promise<number> => handler.handle();
  return loops.of({ topic: 'schedule', pollMs, round, onStop: () => handler.stop() }, { roundLimitMs: leaseMs });
}
