import { backoffMs, codeOf, type Backoff } from '@v402/domain';
import { keepLeases } from '../keep-leases.js';
import type { JobClaim } from '../ports/job-store.js';
import type { Alarms } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';

/** What is to be done periodically, by one process at a time, over all processes together. */
export interface Job {
  /** Stable, snake_case: the row in the database, the alarms and the metrics are named by it. */
  readonly name: string;
  readonly periodMs: number;
  /**
   * One run. It may come again after a crash, so doing it twice has to be the same as doing it once. A rejection is
   * tried again with a backoff and said.
   *
   * @param signal aborted when the process stops, when the run takes longer than it may, or when another process has
   * taken the job over: a long run then breaks off, by rejecting
   */
  run(signal: AbortSignal): Promise<void>;
}

export interface SchedulePolicy {
  /** A process that dies keeps its jobs this long. Renewed while a job runs. */
  readonly leaseMs: number;
  readonly backoff: Backoff;
}

/** A run may take as long as its period, and this long where the period is shorter; then another process may take it over. */
const LEAST_LIMIT_MS = 600_000;

/**
 * Runs each job once per period over all processes. Jobs run beside each other: a slow one holds up no other. A dead
 * owner's job is taken over when its lease has ended.
 */
export class RunJobsHandler {
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #areKnown = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly jobs: readonly Job[],
    private readonly policy: SchedulePolicy,
    /** Names this process in the leases. */
    private readonly owner: string,
    private readonly alarms: Alarms,
  ) {}

  /**
   * One round: starts the job that has been due longest, without waiting for its end.
   * @returns how many were started; 0 when none is due
   */
  async handle(): Promise<number> {
    const idle = this.jobs.filter(({ name }) => !this.#running.has(name));
    if (idle.length === 0) return 0;
    const claim = await this.unitOfWork.run(async (tx) => {
      if (!this.#areKnown) await tx.jobs.add(this.jobs);
      const names = idle.map(({ name }) => name);
      return tx.jobs.claim(names, this.owner, this.policy.leaseMs);
    });
    this.#areKnown = true;
    const job = idle.find(({ name }) => name === claim?.name);
    if (claim === undefined || job === undefined) return 0;
    const run = this.#run(job, claim).finally(() => this.#running.delete(job.name));
    this.#running.set(job.name, run);
    return 1;
  }

  /** Asks the running jobs to break off, waits for them, and gives back what was not done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  /** Never rejects. */
  async #run(job: Job, claim: JobClaim): Promise<void> {
    const lost = new AbortController();
    const overdue = new AbortController();
    const limit = setTimeout(
      () => {
        overdue.abort();
        const message = 'A periodic job takes longer than it may. Another process takes it over.';
        this.alarms.raise('job_overdue', message, { job: job.name });
      },
      Math.max(job.periodMs, LEAST_LIMIT_MS),
    ).unref();
    const renew = async (): Promise<void> => {
      if (overdue.signal.aborted) return;
      if (!(await this.unitOfWork.run((tx) => tx.jobs.renew(claim, this.policy.leaseMs)))) lost.abort();
    };
    const signal = AbortSignal.any([this.#stopping.signal, overdue.signal, lost.signal]);
    const run = async (): Promise<void> => {
      try {
        await job.run(signal);
      } finally {
        clearTimeout(limit);
      }
    };
    try {
      await keepLeases(this.policy.leaseMs, renew, run);
      await this.unitOfWork.run((tx) => tx.jobs.finish(claim, job.periodMs));
    } catch (error) {
      await this.#failed(job, claim, error);
    }
  }

  async #failed(job: Job, claim: JobClaim, error: unknown): Promise<void> {
    const isStopping = this.#stopping.signal.aborted;
    const retryMs = isStopping ? 0 : Math.min(job.periodMs, backoffMs(this.policy.backoff, claim.attempts));
    if (!isStopping) {
      const context = { job: job.name, attempts: claim.attempts, reason: codeOf(error) };
      this.alarms.raise('job_failed', 'A periodic job has failed. It is tried again.', context);
    }
    try {
      await this.unitOfWork.run((tx) => tx.jobs.retry(claim, retryMs));
    } catch {
      // The database is away, and the lease ends by itself.
    }
  }
}
