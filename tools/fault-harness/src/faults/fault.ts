import type { FaultPointName } from '@v402/application';
import type { LocalParts } from '@v402/local-parts';
import type { Random } from '@v402/simulators';
import type { ArmedAction, FleetRole } from '../system/role-messages.js';
import type { DeskMode } from '../system/desk.js';
import type { Fleet } from '../system/fleet.js';
import type { OrderDesk } from '../system/order-desk.js';
import type { RoleChild } from '../system/role-child.js';
import type { Installation } from '../system/installation.js';

/** Where a fault strikes; `any`: at a random moment, wherever the processes are. */
export type FaultPlace = FaultPointName | 'any';

export type FaultKind =
  | 'kill'
  | 'zombie'
  | 'pause'
  | 'postgres_restart'
  | 'cut_connections'
  | 'read_only'
  | 'disk_full'
  | 'broker_kill'
  | 'rebalance'
  | 'offsets_out_of_range'
  | 'late_answer'
  | `order_system_${Exclude<DeskMode, 'works'>}`;

/** Who passes a fault point. */
export const ROLES_AT: Readonly<Record<FaultPlace, readonly FleetRole[]>> = {
  C1: ['intake', 'workflows'],
  C2: ['intake'],
  C3: ['orders', 'workflows'],
  C4: ['orders'],
  C5: ['orders'],
  C6: ['orders', 'workflows'],
  C7: ['relay'],
  C8: ['intake'],
  C9: ['intake', 'operator'],
  any: ['intake', 'orders', 'workflows', 'relay', 'operator'],
};

/** What faults may touch. */
export interface FaultWorld {
  readonly parts: LocalParts;
  readonly installation: Installation;
  readonly fleet: Fleet;
  readonly desk: OrderDesk | undefined;
  readonly random: Random;
  /** How long a process has to be asleep for everything that it held to be somebody else's. */
  readonly takeoverMs: number;
  /** Undoes what was done, after a while and meanwhile; the next fault waits until it is undone. */
  readonly undoLater: (undo: () => Promise<void>) => void;
  /** Resolves when nothing is left to undo. */
  readonly undone: () => Promise<void>;
  /** Stops the feed, waits until nothing is due, sends the next few messages by `next`, and lets the feed go on after `use`. */
  readonly inQuiet: (use: (next: () => Promise<void>) => Promise<void>) => Promise<void>;
}

/** How a kind of fault is brought about. */
export interface Fault {
  /** What the process does when it reaches the place. */
  readonly action: ArmedAction;
  /** Brings it about while the process is there, and undoes what does not undo itself. */
  readonly strike: (world: FaultWorld, victim: RoleChild) => Promise<void>;
}
