import { Worker } from 'node:worker_threads';
import { Chance } from './chance.js';
import type { Failure, Stretch } from './campaign.js';
import type { FuzzTarget } from './target.js';
import type { WorkerOrder, WorkerReport } from './worker.js';

export interface Budget {
  /** How long one input may take. */
  readonly inputMs: number;
  /** How large the heap may grow. */
  readonly heapMb: number;
}

const LOOK_MS = 250;
/** What stands in the place of an index until the thread has loaded everything, which takes as long as it takes. */
const STARTING = -1;

/**
 * Runs a stretch in a thread of its own. An input that does not come to its end, or takes the thread's memory, ends the thread
 * and is reported: it is made again from its seed and its index.
 */
export async function runWatched(
  target: FuzzTarget,
  stretch: Stretch,
  budget: Budget,
): Promise<WorkerReport | Failure> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  Atomics.store(progress, 0, STARTING);
  const order: WorkerOrder = { target: target.name, stretch, progress };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: budget.heapMb },
  });
  const failed = (reason: string): Failure => {
    const index = Math.max(stretch.first, Atomics.load(progress, 0));
    const input = target.generate(new Chance(stretch.seed, index));
    return { target: target.name, seed: stretch.seed, index, reason, input };
  };
  return await new Promise((resolve) => {
    let seen = STARTING;
    let since = performance.now();
    const watch = setInterval(() => {
      const index = Atomics.load(progress, 0);
      if (index !== seen || index === STARTING) {
        seen = index;
        since = performance.now();
      } else if (performance.now() - since > budget.inputMs) {
        finish(failed(`it did not end within ${budget.inputMs} ms`));
      }
    }, LOOK_MS);
    const finish = (outcome: WorkerReport | Failure): void => {
      clearInterval(watch);
      void worker.terminate().then(() => {
        resolve(outcome);
      });
    };
    worker.once('message', finish);
    worker.once('error', (error: Error) => {
      finish(failed(`the thread ended: ${error.stack ?? error.message}`));
    });
  });
}
