import { setTimeout as sleep } from 'node:timers/promises';
import { keepLeases } from './keep-leases.js';

const LEASE_MS = 30;

test('default: renews until the work ends, and then no more', async () => {
  const { promise, resolve, reached, renew } = renewals(3);
  const kept = keepLeases(LEASE_MS, renew, () => promise);
  await reached;
  resolve('done');
  expect(await kept).toBe('done');
  const after = renew.count();
  await sleep(2 * LEASE_MS);
  expect(renew.count()).toBe(after);
});

test('behavior: a renewal that fails is followed by the next one', async () => {
  const { promise, resolve, reached, renew } = renewals(3, () => Promise.reject(new Error('away')));
  const kept = keepLeases(LEASE_MS, renew, () => promise);
  await reached;
  resolve('done');
  expect(await kept).toBe('done');
});

test('behavior: renewals do not overlap, and none is under way when the work has ended', async () => {
  const slow = Promise.withResolvers<undefined>();
  const { promise, resolve, reached, renew } = renewals(1, () => slow.promise);
  let isOver = false;
  const kept = keepLeases(LEASE_MS, renew, () => promise).then(() => (isOver = true));
  await reached;
  await sleep(2 * LEASE_MS);
  expect(renew.count()).toBe(1);
  resolve('done');
  await sleep(5);
  expect(isOver).toBe(false);
  slow.resolve(undefined);
  await kept;
});

test('error: what the work fails with is told, and nothing is renewed any more', async () => {
  const { renew } = renewals(1);
  await expect(keepLeases(LEASE_MS, renew, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await sleep(2 * LEASE_MS);
  expect(renew.count()).toBe(0);
});

/** Work, and renewals that are counted; `reached` when so many have begun. */
function renewals(howMany: number, renewal: () => Promise<unknown> = () => Promise.resolve()) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const enough = Promise.withResolvers<undefined>();
  let count = 0;
  const renew = (): Promise<unknown> => {
    count += 1;
    if (count === howMany) enough.resolve(undefined);
    return renewal();
  };
  return { promise, resolve, reached: enough.promise, renew: Object.assign(renew, { count: () => count }) };
}
