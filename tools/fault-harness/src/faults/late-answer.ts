import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultWorld } from './fault.js';

const PATIENCE_MS = 15_000;
const SEND_EVERY_MS = 300;
/**
 * After so long the sleeper's lease is over, and the orders that met the busy desk beside its own are placed: who comes to
 * record an order then has inherited it.
 */
const INHERITED_AFTER_MS = 2_700;

/**
 * One process gets the answer that nothing was written, and falls asleep with it. Another one finds its order, waits, asks
 * again and is about to record the order when the first one wakes and says that there is none.
 *
 * @returns whether it came to that
 */
export async function answerLate({ fleet, desk, inQuiet }: FaultWorld): Promise<boolean> {
  const [one, other] = fleet.running('orders');
  if (desk === undefined || one === undefined || other === undefined) return false;
  let happened = false;
  await inQuiet(async (next) => {
    desk.mode = 'busy';
    const asleep = [one, other].map(async (child) => ({ child, point: await child.arm('C5', 'stop', 0) }));
    const sleeper = await untilAsleep(asleep, next);
    for (const child of [one, other]) if (child !== sleeper?.child) child.disarm();
    desk.mode = 'works';
    if (sleeper === undefined) return;
    const heir = sleeper.child === one ? other : one;
    await sleep(INHERITED_AFTER_MS);
    // One that stopped as well, in the moment in which it was told not to, would inherit nothing.
    heir.signal('SIGCONT');
    const taken = await Promise.race([heir.arm('C5', 'hold', 0), sleep(PATIENCE_MS, undefined)]);
    sleeper.child.signal('SIGCONT');
    await sleep(500);
    happened = taken !== undefined;
  });
  for (const child of [one, other]) {
    child.disarm();
    child.goOn();
    child.signal('SIGCONT');
  }
  return happened;
}

/** Sends messages until an order of theirs comes to the point: many are of deals that were settled long ago. */
async function untilAsleep<Asleep>(
  asleep: readonly Promise<Asleep>[],
  next: () => Promise<void>,
): Promise<Asleep | undefined> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs) {
    await next();
    const first = await Promise.race([...asleep, sleep(SEND_EVERY_MS, undefined)]);
    if (first !== undefined) return first;
  }
  return undefined;
}
