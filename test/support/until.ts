import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** 60 s unless told: it ends only what waits in vain, on a machine of any speed. */
  readonly timeoutMs?: number;
  /** How long to wait between two looks; 10 ms unless told. */
  readonly everyMs?: number;
}

/** Waits until the condition holds; fails with its text when it does not in time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { timeoutMs = 60_000, everyMs = 10 }: Patience = {},
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`Not within ${timeoutMs} ms: ${holds.toString()}`);
    await sleep(everyMs);
  }
}
