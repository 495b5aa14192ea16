import type { FaultKind, FaultPlace } from '../faults/fault.js';
import { CELLS } from '../faults/schedule.js';
import type { Cell } from '../faults/strike.js';
import type { Check } from '../oracle/violation.js';
import type { Guard } from './guards.js';

/** A run that has to go wrong, because a guard is missing. */
export interface Control {
  /** The faults that bring out what the guard is for; none where the agents alone do. */
  readonly cells: readonly Cell[];
  readonly contracts: number;
  readonly minutes: number;
  /** Each message comes once: another delivery would heal what the missing guard did. */
  readonly once?: true;
  /** What has to notice it: anything else, such as a slow machine on which something is stuck, is no proof. */
  readonly expects: readonly Check[];
}

const cells = (places: readonly FaultPlace[], kinds: readonly FaultKind[]): readonly Cell[] =>
  CELLS.filter(({ place, kind }) => places.includes(place) && kinds.includes(kind));

export const CONTROLS: Readonly<Record<Guard, Control>> = {
  // The tables' own keys stand behind it: what is decided again is refused by them, and parked.
  inbox_key: {
    cells: [],
    contracts: 100,
    minutes: 0,
    expects: ['settlement', 'quarantine', 'event_identity', 'event_order', 'event_record', 'order'],
  },
  deal_lock: {
    cells: cells(['C1'], ['pause']),
    contracts: 400,
    minutes: 0.4,
    expects: ['settlement', 'order', 'quarantine'],
  },
  settlement_lock: {
    cells: cells(['C1', 'C6'], ['pause']),
    contracts: 400,
    minutes: 0.4,
    expects: ['event_order', 'event_identity', 'hold', 'settlement', 'order'],
  },
  epoch: {
    cells: cells(['C5'], ['late_answer']),
    contracts: 200,
    minutes: 0.5,
    expects: ['order', 'event_identity', 'event_order'],
  },
  intent_before_call: { cells: cells(['C5'], ['kill']), contracts: 200, minutes: 0.3, expects: ['order'] },
  deadline_before_lease_end: { cells: cells(['C4'], ['zombie']), contracts: 200, minutes: 0.5, expects: ['order'] },
  wait_before_look_up: {
    cells: cells(['C4'], ['order_system_commits_late']),
    contracts: 200,
    minutes: 0.3,
    expects: ['order'],
  },
  offsets_after_commit: {
    cells: cells(['C1'], ['kill']),
    contracts: 200,
    minutes: 0.3,
    expects: ['settlement', 'refusal', 'quarantine', 'decision'],
    once: true,
  },
  input_marks: {
    cells: cells(['C1', 'C2'], ['offsets_out_of_range']),
    contracts: 1_000,
    minutes: 0.7,
    expects: ['settlement', 'refusal', 'quarantine', 'decision'],
    once: true,
  },
  refusal_key: { cells: [], contracts: 100, minutes: 0, expects: ['quarantine', 'event_identity', 'refusal'] },
  hold_check_of_requests: { cells: [], contracts: 300, minutes: 0.2, expects: ['hold'] },
  hold_check_of_orders: {
    cells: cells(['C3', 'C5'], ['order_system_storm', 'order_system_busy']),
    contracts: 400,
    minutes: 0.4,
    expects: ['hold'],
  },
  // Who comes second is stopped by the rows that the first one has written, with an error that no operator may meet; a
  // message that is rejected twice is written down twice.
  second_look: { cells: cells(['C9'], ['pause']), contracts: 200, minutes: 0.3, expects: ['audit', 'crash'] },
  relay_order: { cells: [], contracts: 100, minutes: 0, expects: ['event_order'] },
  mark_after_acknowledgement: {
    cells: cells(['C7', 'any'], ['broker_kill']),
    contracts: 200,
    minutes: 0.4,
    expects: ['event_record', 'settlement'],
  },
};
