import type { FaultPointName } from '@v402/application';
import type { Role } from '@v402/config';

/** What a process of the fleet is: a role, or an operator at work. */
export type FleetRole = Role | 'operator';

/** What a process does at a fault point. `hold`: it waits for the harness. */
export type ArmedAction = 'kill' | 'stop' | 'hold';

/** From the harness to a process. */
export type ToRole =
  | { readonly type: 'arm'; readonly point: FaultPointName; readonly action: ArmedAction; readonly skip: number }
  | { readonly type: 'disarm' }
  | { readonly type: 'go_on' };

/** From a process to the harness. */
export type FromRole =
  | { readonly type: 'ready' }
  | { readonly type: 'reached'; readonly point: FaultPointName }
  /** An operator was told no. */
  | { readonly type: 'refused'; readonly code: string }
  /** It came to where a guard is taken out. */
  | { readonly type: 'unguarded' };

/** The environment of a role process beyond that of its role. */
export const ROLE_VARIABLE = 'V402_FAULTS_ROLE';
export const DESK_VARIABLE = 'V402_FAULTS_DESK';
export const SKEW_VARIABLE = 'V402_FAULTS_SKEW_MS';
export const SEED_VARIABLE = 'V402_FAULTS_SEED';
export const GUARD_VARIABLE = 'V402_FAULTS_WITHOUT';
