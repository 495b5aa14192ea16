export { GUARDS, type Guard } from './controls/guards.js';
export { CELLS, FAULT_KINDS } from './faults/schedule.js';
export { run, type RunOptions, type RunResult } from './run.js';
