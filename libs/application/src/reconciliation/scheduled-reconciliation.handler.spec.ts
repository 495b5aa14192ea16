import { codeOf, RetryableError } from '@v402/domain';
import type { Window } from '../ports/reconciliation-books.js';
import type { ReconciliationStore } from '../ports/reconciliation-store.js';
import { Alarms } from '../ports/seams.js';
import { UnitOfWork, type Transaction } from '../ports/unit-of-work.js';
import type { UnprovenCode } from './difference-codes.js';
import { Findings, type ReconciliationReport } from './report.js';
import { ScheduledReconciliationHandler } from './scheduled-reconciliation.handler.js';

const HOUR = 3_600_000_000n;
const LOOK_BACK = { hours: 24, maxHours: 31 * 24, keepDays: 90, unprovenMs: 3 * 3_600_000 };

class RecordedAlarms extends Alarms {
  readonly codes: string[] = [];

  override raise(code: string): void {
    this.codes.push(code);
  }
}

/** The database, as far as it keeps runs. */
class KeptRuns extends UnitOfWork {
  readonly reports: ReconciliationReport[] = [];
  readonly #store: ReconciliationStore = {
    record: (report) => {
      this.reports.push(report);
      return Promise.resolve();
    },
  };

  override run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return work({ reconciliations: this.#store } as Partial<Transaction> as Transaction);
  }
}

let hour: bigint;
let windows: (readonly [number, number])[];
let kept: (Window & { readonly unproven: readonly UnprovenCode[] })[];
let alarms: RecordedAlarms;
/** What a window cannot prove, and that it fails or differs. */
let look: (window: Window) => { readonly unproven?: readonly UnprovenCode[]; readonly differs?: boolean };

beforeEach(() => {
  hour = 100_000n;
  windows = [];
  kept = [];
  alarms = new RecordedAlarms();
  look = () => ({});
});

const byBeginning = (a: Window, b: Window): number => Number(a.from - b.from);
const lookedUntil = (without: readonly UnprovenCode[], since: bigint): Promise<bigint | undefined> => {
  const [first] = [...kept].sort(byBeginning);
  if (first === undefined) return Promise.resolve(undefined);
  let until = first.from > since ? first.from : since;
  for (const { from, to } of kept
    .filter(({ unproven }) => !unproven.some((code) => without.includes(code)))
    .sort(byBeginning)) {
    if (from <= until && to > until) until = to;
  }
  return Promise.resolve(until);
};
const provenUntil = (): Promise<bigint | undefined> => {
  const ends = kept.filter(({ unproven }) => unproven.length === 0).map(({ to }) => to);
  return Promise.resolve(ends.sort((a, b) => Number(a - b)).at(-1));
};

const compare = (window: Window): Promise<ReconciliationReport> => {
  const { unproven = [], differs = false } = look(window);
  const findings = new Findings();
  if (differs) findings.differs('order_missing', 'a contract');
  for (const code of unproven) findings.unproven(code, 'a topic');
  windows.push([Number(window.from / HOUR), Number(window.to / HOUR)]);
  kept.push({ ...window, unproven });
  return Promise.resolve(findings.report(window, window.to, window.to, 0));
};

/** @returns the windows of one run, in hours */
const run = async (): Promise<(readonly [number, number])[]> => {
  const unitOfWork = new KeptRuns();
  const books = { now: () => Promise.resolve(hour * HOUR), lookedUntil, provenUntil };
  const handler = new ScheduledReconciliationHandler(books, { handle: compare }, unitOfWork, alarms, LOOK_BACK);
  await handler.handle(new AbortController().signal);
  return windows.splice(0);
};
const looked = (to: bigint): void => {
  kept.push({ from: (to - 24n) * HOUR, to: to * HOUR, unproven: [] });
};

test('default: a run looks at the last day, whenever the one before it was', async () => {
  expect(await run()).toEqual([[99_976, 100_000]]);
  hour += 1n;
  expect(await run()).toEqual([[99_977, 100_001]]);
});

test('behavior: what was not looked at is caught up day by day, up to now', async () => {
  looked(99_940n);
  expect(await run()).toEqual([
    [99_940, 99_964],
    [99_964, 99_988],
    [99_976, 100_000],
  ]);
  expect(alarms.codes).toEqual([]);
});

test('limit: no further back than 31 days', async () => {
  looked(10n);
  const caughtUp = await run();
  expect(caughtUp[0]).toEqual([100_000 - 31 * 24, 100_000 - 30 * 24]);
  expect(caughtUp).toHaveLength(31);
});

test('a run that breaks off is taken up where it was', async () => {
  looked(99_940n);
  look = ({ from }) => {
    if (from === 99_964n * HOUR) throw new RetryableError('database_unavailable', 'It is away.');
    return {};
  };
  expect(codeOf(await run().catch((error: unknown) => error))).toBe('database_unavailable');
  expect(windows.splice(0)).toEqual([[99_940, 99_964]]);
  look = () => ({});
  hour += 1n;
  expect(await run()).toEqual([
    [99_964, 99_988],
    [99_977, 100_001],
  ]);
});

test.each([{ differs: false }, { differs: true }])(
  'a window of which a topic was not read is looked at again, and the newest all the same; differences or not: $differs',
  async ({ differs }) => {
    looked(99_940n);
    look = () => ({ unproven: ['topic_unread'], differs });
    const oldest = [99_940, 99_964];
    expect(await run()).toEqual([oldest, [99_976, 100_000]]);
    look = ({ from }) => (from === 99_940n * HOUR ? { unproven: ['order_system_unread'] } : {});
    hour += 1n;
    expect(await run()).toEqual([oldest, [99_977, 100_001]]);
    look = () => ({});
    hour += 1n;
    // Between the two the newest windows had been read.
    expect(await run()).toEqual([oldest, [99_964, 99_988], [99_978, 100_002]]);
    hour += 1n;
    expect(await run()).toEqual([[99_979, 100_003]]);
  },
);

test('also the first window of all is looked at again', async () => {
  look = () => ({ unproven: ['topic_unread'] });
  expect(await run()).toEqual([[99_976, 100_000]]);
  hour += 30n;
  look = () => ({});
  expect(await run()).toEqual([
    [99_976, 100_000],
    [100_000, 100_024],
    [100_006, 100_030],
  ]);
});

test('what is gone for good is not waited for', async () => {
  looked(99_940n);
  look = ({ from }) => ({ unproven: from < 99_964n * HOUR ? ['events_not_retained'] : [] });
  expect(await run()).toHaveLength(3);
});

describe('an alarm that nothing is proven', () => {
  test('is raised once the last proof is older than three periods', async () => {
    await run();
    look = () => ({ unproven: ['order_system_unread'] });
    for (let after = 1; after <= 3; after += 1) {
      hour += 1n;
      await run();
    }
    expect(alarms.codes).toEqual([]);
    hour += 1n;
    await run();
    expect(alarms.codes).toEqual(['reconciliation_unproven']);
  });

  test('also where that never changes, and where nothing was ever proven', async () => {
    look = () => ({ unproven: ['events_not_retained'] });
    await run();
    expect(alarms.codes).toEqual(['reconciliation_unproven']);
  });

  test('is raised also where only an old window was not looked at', async () => {
    looked(99_940n);
    look = ({ to }) => (to < 100_000n * HOUR ? { unproven: ['order_system_unread'] } : {});
    await run();
    hour += 1n;
    look = ({ to }) => (to < 100_001n * HOUR ? { unproven: ['order_system_unread'] } : {});
    await run();
    expect(alarms.codes).toEqual(['reconciliation_unproven', 'reconciliation_unproven']);
  });

  test('behavior: beside one for what differs', async () => {
    look = () => ({ unproven: ['topic_unread'], differs: true });
    await run();
    expect(alarms.codes).toEqual(['reconciliation_differs', 'reconciliation_unproven']);
  });
});
