import { backoffMs } from './backoff.js';

const BACKOFF = { baseMs: 100, capMs: 1_000 };

describe('backoffMs', () => {
  it('doubles with each attempt up to the cap', () => {
    const longest = [1, 2, 3, 4, 5, 6, 2_000].map((attempt) => backoffMs(BACKOFF, attempt, () => 1));
    expect(longest).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  it('is at least half of the longest wait, whatever the jitter', () => {
    expect(backoffMs(BACKOFF, 3, () => 0)).toBe(200);
    expect(backoffMs(BACKOFF, 3, () => 0.5)).toBe(300);
  });
});
