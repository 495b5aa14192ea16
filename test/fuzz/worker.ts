import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { runStretch, type CampaignResult, type Stretch } from './campaign.js';
import { TARGETS } from './targets/index.js';

export interface WorkerOrder {
  readonly target: string;
  readonly stretch: Stretch;
  /** Shared with whoever watches: the index of the input that is being run. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

export interface WorkerReport {
  readonly result: CampaignResult;
  /** Bytes that stay in use after the garbage is collected: early in the stretch, and at its end. */
  readonly heap: { readonly early: number; readonly late: number };
}

/** How many inputs fill caches and compile code before the heap is measured. */
const WARM_UP = 300;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapInUse(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const { target: name, stretch, progress } = workerData as WorkerOrder;
const target = TARGETS.find((each) => each.name === name);
if (target === undefined) throw new Error(`There is no target ${name}.`);
let early = 0;
const result = await runStretch(target, stretch, (index) => {
  if (index === stretch.first + WARM_UP) early = heapInUse();
  Atomics.store(progress, 0, index);
});
const late = heapInUse();
const report: WorkerReport = { result, heap: { early: early || late, late } };
parentPort?.postMessage(report);
