import { RetryableError } from '@v402/domain';
import { apart } from './apart.js';

const failingFor =
  (bad: ReadonlySet<number>) =>
  (items: readonly number[]): Promise<readonly number[]> =>
    items.some((item) => bad.has(item)) ? Promise.reject(new TypeError('a mistake')) : Promise.resolve(items);
const marked = (item: number): Promise<readonly number[]> => Promise.resolve([-item]);

test.each([[[]], [[1]], [[7]], [[3, 4]], [[1, 2, 3, 4, 5, 6, 7]]])(
  'alone are exactly those that fail: %j',
  async (bad) => {
    const results = await apart([1, 2, 3, 4, 5, 6, 7], failingFor(new Set(bad)), marked);
    expect(results.flat()).toEqual([1, 2, 3, 4, 5, 6, 7].map((item) => (bad.includes(item) ? -item : item)));
  },
);

test.each(['database_unavailable', 'statement_timeout'])(
  'error: a part that is away is nobody’s fault: %s',
  async (code) => {
    const away = new RetryableError(code, 'It is away.');
    await expect(apart([1, 2], () => Promise.reject(away), marked)).rejects.toBe(away);
  },
);

const locked = new RetryableError('lock_timeout', 'It is locked.');
/** Fails as a lock does that one of the items waits for, and counts how often it was waited for. */
const lockedFor = (some: readonly number[]) => {
  const tried: (readonly number[])[] = [];
  const together = (items: readonly number[]): Promise<readonly number[]> => {
    const isWaiting = items.some((item) => some.includes(item));
    if (isWaiting) tried.push(items);
    return isWaiting ? Promise.reject(locked) : Promise.resolve(items);
  };
  return { together, tried };
};

test('a locked one is left alone, and is waited for once more only', async () => {
  const { together, tried } = lockedFor([5]);
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  expect((await apart(items, together, marked)).flat()).toEqual([1, 2, 3, 4, -5, 6, 7, 8]);
  expect(tried).toEqual([items, [5]]);
});

test('error: where everything is locked, it is not waited for one by one', async () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  const { together, tried } = lockedFor(items);
  const alone: number[] = [];
  const done = apart(items, together, (item) => {
    alone.push(item);
    return marked(item);
  });
  await expect(done).rejects.toBe(locked);
  expect(alone).toEqual([0, 1]);
  expect(tried).toHaveLength(4);
});

test('a damaged one is found like any that fails by itself', async () => {
  const damaged = new RetryableError('database_error', 'It is damaged.');
  const together = (items: readonly number[]): Promise<readonly number[]> =>
    items.includes(3) ? Promise.reject(damaged) : Promise.resolve(items);
  expect((await apart([1, 2, 3, 4], together, marked)).flat()).toEqual([1, 2, -3, 4]);
});
