import { Alarms } from '../ports/seams.js';
import type { JobStore } from '../ports/job-store.js';
import { UnitOfWork, type Transaction } from '../ports/unit-of-work.js';
import { RunJobsHandler, type Job } from './run-jobs.handler.js';

const { jest } = import.meta;
const MINUTE_MS = 60_000;
const POLICY = { leaseMs: 1_000, backoff: { firstMs: 1, maxMs: 1 } };

class RecordedAlarms extends Alarms {
  readonly codes: string[] = [];

  override raise(code: string): void {
    this.codes.push(code);
  }
}

/** Every job is due whenever it is asked for. */
class AlwaysDue extends UnitOfWork {
  renewals = 0;
  #epoch = 0;
  readonly #jobs: JobStore = {
    add: () => Promise.resolve(),
    claim: ([name]) =>
      Promise.resolve(name === undefined ? undefined : { name, epoch: (this.#epoch += 1), attempts: 1 }),
    renew: () => Promise.resolve((this.renewals += 1) > 0),
    finish: () => Promise.resolve(),
    retry: () => Promise.resolve(),
  };

  override run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return work({ jobs: this.#jobs } as Partial<Transaction> as Transaction);
  }
}

/** A job whose runs end when the test says so, or when they are told to break off. */
class Held implements Job {
  readonly name = 'held';
  readonly ends: (() => void)[] = [];
  brokenOff = 0;

  constructor(readonly periodMs: number) {}

  run(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.ends.push(resolve);
      signal.addEventListener('abort', () => {
        this.brokenOff += 1;
        reject(new Error('broken off'));
      });
    });
  }
}

let alarms: RecordedAlarms;
let unitOfWork: AlwaysDue;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  alarms = new RecordedAlarms();
  unitOfWork = new AlwaysDue();
});
afterEach(() => {
  jest.useRealTimers();
});

const schedule = (job: Job): RunJobsHandler => new RunJobsHandler(unitOfWork, [job], POLICY, 'one', alarms);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each([
  ['its period', 60 * MINUTE_MS, 60 * MINUTE_MS],
  ['ten minutes where its period is shorter', MINUTE_MS, 10 * MINUTE_MS],
])('a run may take as long as %s; then it is told to break off, and that is said', async (_, periodMs, limitMs) => {
  const job = new Held(periodMs);
  await schedule(job).handle();
  await jest.advanceTimersByTimeAsync(limitMs - 1);
  expect([job.brokenOff, alarms.codes]).toEqual([0, []]);
  await jest.advanceTimersByTimeAsync(1);
  await settled();
  expect([job.brokenOff, alarms.codes]).toEqual([1, ['job_overdue', 'job_failed']]);
});

test('the limit of a run ends with it: a later run of the same job is not taken for it', async () => {
  const job = new Held(MINUTE_MS);
  const handler = schedule(job);
  await handler.handle();
  job.ends[0]?.();
  await settled();
  await jest.advanceTimersByTimeAsync(9 * MINUTE_MS);
  expect(await handler.handle()).toBe(1);
  await jest.advanceTimersByTimeAsync(9 * MINUTE_MS);
  expect([job.ends.length, job.brokenOff, alarms.codes]).toEqual([2, 0, []]);
});

test('a run beyond its limit keeps its lease no longer, so that another process can take the job over', async () => {
  const job: Job = { name: 'deaf', periodMs: MINUTE_MS, run: () => new Promise<void>(() => undefined) };
  await schedule(job).handle();
  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  const { renewals } = unitOfWork;
  expect(renewals).toBeGreaterThan(0);
  await jest.advanceTimersByTimeAsync(MINUTE_MS);
  expect(unitOfWork.renewals).toBe(renewals);
});
