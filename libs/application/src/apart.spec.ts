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

test('error: a part that is away is nobody’s fault', async () => {
  const away = new RetryableError('away', 'It is away.');
  await expect(apart([1, 2], () => Promise.reject(away), marked)).rejects.toBe(away);
});
