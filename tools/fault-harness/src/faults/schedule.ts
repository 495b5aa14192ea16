import type { Random } from '@v402/simulators';
import { DESK_MODES } from '../system/desk.js';
import type { FaultKind, FaultPlace } from './fault.js';
import type { Cell } from './strike.js';

const POINTS: readonly FaultPlace[] = ['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9'];

const EVERYWHERE: readonly FaultKind[] = [
  'kill',
  'zombie',
  'pause',
  'postgres_restart',
  'cut_connections',
  'read_only',
  'disk_full',
  'broker_kill',
  'rebalance',
];
const ORDER_SYSTEM: readonly FaultKind[] = DESK_MODES.map((mode) => `order_system_${mode}` as FaultKind);

/** Every fault at every place where it can strike. */
export const CELLS: readonly Cell[] = [
  ...POINTS.flatMap((place) => EVERYWHERE.map((kind) => ({ place, kind }))),
  // A pause is one of a process that has come to a place.
  ...EVERYWHERE.filter((kind) => kind !== 'pause').map((kind): Cell => ({ place: 'any', kind })),
  ...(['C3', 'C4', 'C5', 'C6'] as const).flatMap((place) => ORDER_SYSTEM.map((kind) => ({ place, kind }))),
  ...(['C1', 'C2', 'C8'] as const).map((place): Cell => ({ place, kind: 'offsets_out_of_range' })),
  { place: 'C5', kind: 'late_answer' },
];

export const FAULT_KINDS: readonly FaultKind[] = [...new Set(CELLS.map(({ kind }) => kind))];

/** An endless sequence in which every cell comes once before any comes again. */
export function* schedule(cells: readonly Cell[], random: Random): Generator<Cell, never> {
  if (cells.length === 0) throw new RangeError('A schedule needs a fault.');
  for (;;) yield* random.sample(cells, cells.length);
}
