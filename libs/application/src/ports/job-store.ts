/** A job that this process may run until the lease ends. */
export interface JobClaim {
  readonly name: string;
  /** Raised by every claim: whoever lost the job writes nothing about it. */
  readonly epoch: number;
  /** Claims since the last run that succeeded, this one included. */
  readonly attempts: number;
}

/** When periodic jobs are due, and which process runs them. */
export interface JobStore {
  /** Adds the jobs that are not known yet, due at once. One that is due later than a (shortened) period from now comes forward. */
  add(jobs: readonly { readonly name: string; readonly periodMs: number }[]): Promise<void>;
  /**
   * Claims the job of these names that has been due longest and that nobody runs; a lease that has ended is taken over.
   * @returns undefined when none is due
   */
  claim(names: readonly string[], owner: string, leaseMs: number): Promise<JobClaim | undefined>;
  /** Renews the lease to `leaseMs` from now. @returns whether the job is still ours */
  renew(claim: JobClaim, leaseMs: number): Promise<boolean>;
  /** The run has succeeded: due again at the next whole period, however many have passed. */
  finish(claim: JobClaim, periodMs: number): Promise<void>;
  /** The run has failed: due again after `retryMs`. */
  retry(claim: JobClaim, retryMs: number): Promise<void>;
}
