import { TopicLog, type PartitionBounds } from '../ports/topic-log.js';
import { compareInput } from './compare-input.js';
import { Findings } from './report.js';

const TOPIC = 'contracts';
const window = { from: 36_000_000_000n, to: 72_000_000_000n };

/** One partition, of which only the bounds are looked at. */
class Bounds extends TopicLog {
  constructor(
    private readonly held: Omit<PartitionBounds, 'partition'>,
    /** The first record of the window; the end where there is none. */
    private readonly start: bigint,
  ) {
    super();
  }

  override bounds(): Promise<readonly PartitionBounds[]> {
    return Promise.resolve([{ partition: 0, ...this.held }]);
  }

  override offsetsAt(_: string, at: number): Promise<ReadonlyMap<number, bigint>> {
    return Promise.resolve(new Map([[0, at === Number(window.from / 1000n) ? this.start : this.held.high]]));
  }

  override read: TopicLog['read'] = () => Promise.resolve();
}

async function found(
  log: Bounds,
  expected: bigint | undefined,
  { signal } = new AbortController(),
): Promise<readonly (readonly string[])[]> {
  const books = {
    nextOffsets: () => Promise.resolve(new Map(expected === undefined ? [] : [[0, expected]])),
    losses: () => Promise.resolve([]),
    decidedAt: () => Promise.resolve(new Map<string, string[]>()),
    decidedDigests: () => Promise.resolve(new Set<string>()),
    decidedContracts: () => Promise.resolve(new Set<string>()),
  };
  const findings = new Findings();
  await compareInput(log, books, TOPIC, window, findings, window.to, signal);
  const { differences, unproven } = findings.report(window, 0n, 0n, 0);
  return [...differences, ...unproven].map(({ code, subject, detail = '' }) => [code, subject, detail]);
}

test('behavior: what was deleted before intake came to it is lost, what it had come beyond is not', async () => {
  expect(await found(new Bounds({ low: 5n, high: 9n }, 5n), 3n)).toEqual([
    ['input_lost', 'contracts/0', 'offsets 3 to 4'],
  ]);
  expect(await found(new Bounds({ low: 5n, high: 9n }, 5n), 5n)).toEqual([]);
});

test('error: asked to break off, it reads no further batch', async () => {
  const stop = new AbortController();
  const log = new Bounds({ low: 0n, high: 9n }, 0n);
  let batches = 0;
  log.read = async (_topic, _ranges, onBatch) => {
    for (; batches < 100; batches += 1) {
      if (batches === 5) stop.abort();
      await onBatch([]);
    }
  };
  await expect(found(log, 9n, stop)).rejects.toMatchObject({ code: 'reconciliation_aborted' });
  expect(batches).toBe(5);
});

describe('where intake never came to a partition', () => {
  const unknown = [['input_start_unknown', 'contracts/0', 'offsets 0 to 4']];

  test.each([
    ['begins within the window, and not at 0', { low: 5n, high: 9n }, 5n, unknown],
    ['has lost everything', { low: 5n, high: 5n }, 5n, unknown],
    ['begins before the window', { low: 5n, high: 9n }, 7n, []],
    ['has nothing of the window or after it', { low: 5n, high: 9n }, 9n, []],
    ['begins at 0', { low: 0n, high: 9n }, 0n, []],
    ['is empty', { low: 0n, high: 0n }, 0n, []],
  ])('behavior: a log that %s', async (_, held, start, findings) => {
    expect(await found(new Bounds(held, start), undefined)).toEqual(findings);
  });
});
