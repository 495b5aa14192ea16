/**
 * Renews leases again and again as long as the work under them goes on, so that a lease can be short: it ends soon after
 * its process has died, and never while the process works. A renewal that fails is left to the next one. A lease may end
 * in between; then the epoch tells whether somebody else has taken the work over.
 *
 * @param leaseMs how long a renewed lease lasts; it is renewed three times as often
 * @param renew extends what is still ours and nothing else
 */
export async function keepLeases<T>(
  leaseMs: number,
  renew: () => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  let renewing: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    renewing ??= renew()
      .catch(() => undefined)
      .finally(() => (renewing = undefined));
  }, leaseMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await renewing;
  }
}
