import type { FaultKind, FaultPlace } from '../faults/fault.js';
import { CELLS } from '../faults/schedule.js';
import type { Cell } from '../faults/strike.js';
import type { Guard } from './guards.js';

/** A run that has to go wrong, because a guard is missing. */
export interface Control {
  /** The faults that bring out what the guard is for; none where the agents alone do. */
  readonly cells: readonly Cell[];
  readonly contracts: number;
  readonly minutes: number;
}

const cells = (places: readonly FaultPlace[], kinds: readonly FaultKind[]): readonly Cell[] =>
  CELLS.filter(({ place, kind }) => places.includes(place) && kinds.includes(kind));

export const CONTROLS: Readonly<Record<Guard, Control>> = {
  inbox_key: { cells: [], contracts: 100, minutes: 0 },
  deal_lock: { cells: cells(['C1'], ['pause']), contracts: 400, minutes: 0.4 },
  settlement_lock: { cells: cells(['C1', 'C6'], ['pause']), contracts: 400, minutes: 0.4 },
  epoch: { cells: cells(['C5'], ['late_answer']), contracts: 200, minutes: 0.5 },
  intent_before_call: { cells: cells(['C5'], ['kill']), contracts: 200, minutes: 0.3 },
  deadline_before_lease_end: { cells: cells(['C4'], ['zombie']), contracts: 200, minutes: 0.5 },
  wait_before_look_up: { cells: cells(['C4'], ['order_system_commits_late']), contracts: 200, minutes: 0.3 },
  offsets_after_commit: { cells: cells(['C1'], ['kill']), contracts: 200, minutes: 0.3 },
  refusal_key: { cells: [], contracts: 100, minutes: 0 },
  hold_check: { cells: [], contracts: 300, minutes: 0.2 },
  relay_order: { cells: [], contracts: 100, minutes: 0 },
  mark_after_acknowledgement: { cells: cells(['C7', 'any'], ['broker_kill']), contracts: 200, minutes: 0.4 },
};
