import { RunJobsHandler, type Job } from '@v402/application';
import { RetryableError } from '@v402/domain';
import { PgUnitOfWork } from '@v402/persistence';
import { DecoratedUnitOfWork } from '@v402/testing';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { RecordedAlarms } from '../support/seams.js';
import { until } from '../support/until.js';

/** Real: PostgreSQL. Periods and leases are moved, never waited for. */
const HOUR_MS = 3_600_000;
const POLICY = { leaseMs: 60_000, backoff: { firstMs: 60_000, maxMs: 600_000 } };

let database: TestDatabase;
let unitOfWork: PgUnitOfWork;
let admin: pg.Client;
let alarms: RecordedAlarms;
const handlers: RunJobsHandler[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName: 'under test' });
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});
beforeEach(async () => {
  alarms = new RecordedAlarms();
  await admin.query('DELETE FROM v402.job');
});
afterEach(async () => {
  await Promise.all(handlers.splice(0).map((handler) => handler.stop()));
});
afterAll(async () => {
  await unitOfWork.close();
  await admin.end();
  await database.drop();
});

/** A job that counts its runs. */
class Counted implements Job {
  runs = 0;
  constructor(
    readonly name: string,
    readonly periodMs = HOUR_MS,
    private readonly work: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ) {}

  run(signal: AbortSignal): Promise<void> {
    this.runs += 1;
    return this.work(signal);
  }
}

const process = (jobs: readonly Job[], owner = 'one', parts: { leaseMs?: number; uow?: DecoratedUnitOfWork } = {}) => {
  const policy = { ...POLICY, leaseMs: parts.leaseMs ?? POLICY.leaseMs };
  const handler = new RunJobsHandler(parts.uow ?? unitOfWork, jobs, policy, owner, alarms);
  handlers.push(handler);
  return handler;
};

interface JobRow {
  readonly owner: string | null;
  readonly attempts: number;
  readonly epoch: number;
  readonly dueInMs: number;
}
const row = async (name: string): Promise<JobRow> => {
  const { rows } = await admin.query<JobRow>(
    `SELECT leased_by AS owner, attempts, epoch, (extract(epoch FROM due_at - clock_timestamp()) * 1000)::float8 AS "dueInMs"
     FROM v402.job WHERE name = $1`,
    [name],
  );
  return rows[0]!;
};
const makeDue = (name: string, ago = '0 seconds') =>
  admin.query('UPDATE v402.job SET due_at = clock_timestamp() - $2::interval WHERE name = $1', [name, ago]);

/** What the database shows may be there a moment before its process, too, has heard that the run before has ended. */
const startsAgain = (one: RunJobsHandler): Promise<void> => until(async () => (await one.handle()) === 1);

const isFree = async (name: string): Promise<boolean> => (await row(name)).owner === null;

test('default: a new job is due at once, runs, and is due again one period later', async () => {
  const job = new Counted('default');
  const one = process([job]);
  expect(await one.handle()).toBe(1);
  await until(() => isFree('default'));
  expect(await one.handle()).toBe(0);
  expect(job.runs).toBe(1);
  const { dueInMs, attempts } = await row('default');
  expect(attempts).toBe(0);
  expect(dueInMs).toBeGreaterThan(HOUR_MS - 60_000);
  expect(dueInMs).toBeLessThanOrEqual(HOUR_MS);
});

test('behavior: over many processes that look at the same moment, each period has one run', async () => {
  const job = new Counted('once');
  const processes = Array.from({ length: 6 }, (_, index) => process([job], `process ${index}`));
  for (const period of [1, 2, 3]) {
    const started = await Promise.all(processes.map((each) => each.handle()));
    expect(started.filter((count) => count === 1)).toHaveLength(1);
    await until(() => isFree('once'));
    expect(job.runs).toBe(period);
    await makeDue('once');
  }
});

test('behavior: periods that nobody was there for are not made up; the rhythm stays', async () => {
  const job = new Counted('late', HOUR_MS);
  const one = process([job]);
  await one.handle();
  await until(() => isFree('late'));
  await makeDue('late', '5 hours 40 minutes');
  await startsAgain(one);
  await until(() => isFree('late'));
  expect(await one.handle()).toBe(0);
  expect(job.runs).toBe(2);
  const { dueInMs } = await row('late');
  expect(dueInMs).toBeGreaterThan(19 * 60_000);
  expect(dueInMs).toBeLessThanOrEqual(20 * 60_000);
});

test('behavior: jobs run beside each other: one that takes long holds up no other', async () => {
  const slow = Promise.withResolvers<undefined>();
  const long = new Counted('a long one', HOUR_MS, async () => {
    await slow.promise;
  });
  const short = new Counted('b short one');
  const one = process([long, short]);
  expect([await one.handle(), await one.handle(), await one.handle()]).toEqual([1, 1, 0]);
  await until(() => isFree('b short one'));
  expect(await isFree('a long one')).toBe(false);
  slow.resolve(undefined);
  await until(() => isFree('a long one'));
});

test('behavior: what a dead process was running is taken over when its lease has ended, not before', async () => {
  await unitOfWork.run(async (tx) => {
    await tx.jobs.add([{ name: 'orphan', periodMs: HOUR_MS }]);
    expect(await tx.jobs.claim(['orphan'], 'dead', POLICY.leaseMs)).toMatchObject({ name: 'orphan', attempts: 1 });
  });
  const alive = new Counted('orphan');
  const other = process([alive], 'alive');
  expect(await other.handle()).toBe(0);
  await admin.query("UPDATE v402.job SET lease_until = clock_timestamp() WHERE name = 'orphan'");
  expect(await other.handle()).toBe(1);
  await until(() => isFree('orphan'));
  expect(alive.runs).toBe(1);
});

test('behavior: the lease is renewed while a job runs', async () => {
  const end = Promise.withResolvers<undefined>();
  const job = new Counted('long', HOUR_MS, async () => {
    await end.promise;
  });
  await process([job], 'one', { leaseMs: 300 }).handle();
  const leaseEnd = async (): Promise<number> =>
    (await admin.query<{ end: number }>('SELECT extract(epoch FROM lease_until)::float8 AS end FROM v402.job')).rows[0]!
      .end;
  const first = await leaseEnd();
  await until(async () => (await leaseEnd()) > first);
  end.resolve(undefined);
});

test('behavior: whoever has lost a job is told by the signal, and its end changes nothing any more', async () => {
  let isAborted = false;
  const zombie = new Counted('zombie', HOUR_MS, async (signal) => {
    await until(() => signal.aborted);
    isAborted = true;
  });
  await process([zombie], 'zombie', { leaseMs: 300 }).handle();
  await admin.query("UPDATE v402.job SET epoch = epoch + 1, attempts = 7, leased_by = 'other' WHERE name = 'zombie'");
  await until(() => isAborted);
  await Promise.all(handlers.splice(0).map((handler) => handler.stop()));
  expect(await row('zombie')).toMatchObject({ owner: 'other', attempts: 7 });
});

test('guard removed: the epoch. The end of a lost run frees a job that another process runs', async () => {
  const end = Promise.withResolvers<undefined>();
  const lost = new Counted('unguarded', HOUR_MS, async () => {
    await end.promise;
  });
  const uow = new DecoratedUnitOfWork(unitOfWork, {
    jobs: (real) => ({ finish: (claim, periodMs) => real.finish({ ...claim, epoch: claim.epoch + 1 }, periodMs) }),
  });
  await process([lost], 'lost', { uow }).handle();
  await admin.query("UPDATE v402.job SET epoch = epoch + 1, leased_by = 'other' WHERE name = 'unguarded'");
  end.resolve(undefined);
  await until(() => isFree('unguarded'));
});

test('error: a run that fails is said and tried again soon, with a growing pause', async () => {
  const job = new Counted('failing', HOUR_MS, () => Promise.reject(new RetryableError('order_system_away', 'away')));
  const one = process([job]);
  for (const attempts of [1, 2, 3]) {
    await startsAgain(one);
    await until(() => isFree('failing'));
    expect(alarms.take()).toEqual([
      { code: 'job_failed', context: { job: 'failing', attempts, reason: 'order_system_away' } },
    ]);
    const { dueInMs } = await row('failing');
    // At least half of the whole, of which some has gone by.
    expect(dueInMs).toBeGreaterThan((POLICY.backoff.firstMs * 2 ** (attempts - 1)) / 2 - 20_000);
    expect(dueInMs).toBeLessThanOrEqual(POLICY.backoff.firstMs * 2 ** (attempts - 1));
    expect(await one.handle()).toBe(0);
    await makeDue('failing');
  }
});

test('behavior: stopping breaks a run off and gives the job back at once, without an alarm', async () => {
  const job = new Counted('broken off', HOUR_MS, async (signal) => {
    await until(() => signal.aborted);
    signal.throwIfAborted();
  });
  const one = process([job]);
  await one.handle();
  await one.stop();
  expect(alarms.raised).toEqual([]);
  const next = new Counted('broken off');
  expect(await process([next], 'next').handle()).toBe(1);
  await until(() => isFree('broken off'));
});

test('behavior: a period that was made shorter holds at once', async () => {
  await process([new Counted('daily', 24 * HOUR_MS)]).handle();
  await until(() => isFree('daily'));
  await process([new Counted('daily', 60_000)]).handle();
  expect((await row('daily')).dueInMs).toBeLessThanOrEqual(60_000);
});
