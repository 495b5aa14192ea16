import { backoffMs } from './backoff.js';

const BACKOFF = { firstMs: 100, maxMs: 5_000 };
const longest = (): number => 1;
const shortest = (): number => 0;

test('doubles from the first to the largest wait, and stays there', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100, 5_000].map((attempts) => backoffMs(BACKOFF, attempts, longest));
  expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000]);
});

test('is at least half of that, in whole milliseconds', () => {
  expect(backoffMs(BACKOFF, 1, shortest)).toBe(50);
  expect(backoffMs(BACKOFF, 10, shortest)).toBe(2_500);
  expect(backoffMs({ firstMs: 5, maxMs: 5 }, 1, () => 0.3)).toBe(3);
});

test('differs from one caller to the next unless it is told', () => {
  const waits = Array.from({ length: 50 }, () => backoffMs(BACKOFF, 7));
  expect(new Set(waits).size).toBeGreaterThan(1);
  expect(waits.filter((wait) => wait < 2_500 || wait > 5_000)).toEqual([]);
});
