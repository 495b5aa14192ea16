import { setTimeout as sleep } from 'node:timers/promises';

/** More than a slow machine needs. */
const PATIENCE_MS = 120_000;

export interface Patience {
  /** How long to wait between two looks; 10 ms unless told. */
  readonly everyMs?: number;
}

/** Waits until the condition holds; fails with its text when it does not within two minutes. */
export async function until(holds: () => boolean | Promise<boolean>, { everyMs = 10 }: Patience = {}): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`Waited in vain: ${holds.toString()}`);
    await sleep(everyMs);
  }
}
