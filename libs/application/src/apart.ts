import { RetryableError } from '@v402/domain';

/** Somebody else keeps a row locked, for longer than we wait. */
const LOCKED = 'lock_timeout';
/** Failures of a database that answers: they may be those of one row, which is locked or damaged. */
const OF_ONE_ROW: ReadonlySet<string> = new Set([LOCKED, 'database_error']);
/** Each is waited for. More than these are not locked by accident, and the next round goes on with what is left. */
const MAX_LOCKED = 2;

/** Whether a part is away or slow as a whole: then whatever else was tried would fail alike. */
export const isAway = (error: unknown): error is RetryableError =>
  error instanceof RetryableError && !OF_ONE_ROW.has(error.code);

/** Whether a row is locked by somebody else, for longer than is waited for. */
export const isLocked = (error: unknown): boolean => error instanceof RetryableError && error.code === LOCKED;

type Together<Item, Result> = (items: readonly Item[]) => Promise<Result>;
type Alone<Item, Result> = (item: Item, error: unknown) => Promise<Result>;

/**
 * Does something for many at once. Where that fails for another reason than a part that is away, those are found that it
 * fails for: `alone` deals with each of them, and it holds nobody up. They are found by halves; where a lock was waited
 * for, one by one, so that each locked one costs one more wait and not one a halving.
 *
 * @param together is run again for parts of the items, so it has no effect where it fails
 * @throws RetryableError of `together`, and what `alone` throws
 */
export async function apart<Item, Result>(
  items: readonly Item[],
  together: Together<Item, Result>,
  alone: Alone<Item, Result>,
): Promise<readonly Result[]> {
  try {
    return [await together(items)];
  } catch (error) {
    const [only] = items;
    if (isAway(error) || only === undefined) throw error;
    if (items.length === 1) return [await alone(only, error)];
    if (isLocked(error)) return oneByOne(items, together, alone);
    const middle = Math.ceil(items.length / 2);
    const first = await apart(items.slice(0, middle), together, alone);
    return [...first, ...(await apart(items.slice(middle), together, alone))];
  }
}

async function oneByOne<Item, Result>(
  items: readonly Item[],
  together: Together<Item, Result>,
  alone: Alone<Item, Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let locked = 0;
  for (const item of items) {
    const done = await apart([item], together, (one, error) => {
      if (isLocked(error)) locked += 1;
      if (locked > MAX_LOCKED) throw error;
      return alone(one, error);
    });
    results.push(...done);
  }
  return results;
}
