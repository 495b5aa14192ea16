/**
 * Waits for all, then throws the first failure, if any. Unlike Promise.all nothing is still under way afterwards: what a
 * round has begun has ended with it.
 */
export async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
