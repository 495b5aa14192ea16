import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultWorld } from './fault.js';

const PATIENCE_MS = 15_000;

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
    await next();
    const sleeper = await Promise.race([...asleep, sleep(PATIENCE_MS, undefined)]);
    for (const child of [one, other]) if (child !== sleeper?.child) child.disarm();
    desk.mode = 'works';
    if (sleeper === undefined) return;
    const heir = sleeper.child === one ? other : one;
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
