import { RetryableError } from '@v402/domain';

/**
 * Does something for many at once. Where that fails for another reason than a part that is away, they are halved until
 * the one is found that it fails for: `alone` deals with that one, and it holds nobody up.
 *
 * @param together is run again for parts of the items, so it has no effect where it fails
 * @throws RetryableError of `together`, and what `alone` throws
 */
export async function apart<Item, Result>(
  items: readonly Item[],
  together: (items: readonly Item[]) => Promise<Result>,
  alone: (item: Item, error: unknown) => Promise<Result>,
): Promise<readonly Result[]> {
  try {
    return [await together(items)];
  } catch (error) {
    const [only] = items;
    if (error instanceof RetryableError || only === undefined) throw error;
    if (items.length === 1) return [await alone(only, error)];
    const middle = Math.ceil(items.length / 2);
    const first = await apart(items.slice(0, middle), together, alone);
    return [...first, ...(await apart(items.slice(middle), together, alone))];
  }
}
