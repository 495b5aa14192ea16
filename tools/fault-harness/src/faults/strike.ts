import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPointName } from '@v402/application';
import type { RoleChild } from '../system/role-child.js';
import { ROLES_AT, type Fault, type FaultKind, type FaultPlace, type FaultWorld } from './fault.js';
import { FAULTS } from './faults.js';
import { answerLate } from './late-answer.js';

export interface Cell {
  readonly place: FaultPlace;
  readonly kind: FaultKind;
}

/** How long a fault waits for a process to come where it strikes. */
const PATIENCE_MS = 6_000;

/**
 * Brings one fault about, and everything up again that it ended.
 * @returns whether a process came to the place in time
 */
export async function strike(world: FaultWorld, { place, kind }: Cell): Promise<boolean> {
  if (kind === 'late_answer') return answerLate(world);
  const fault = FAULTS[kind];
  const struck = place === 'any' ? await strikeAnywhere(world, fault) : await strikeAt(world, fault, place);
  await world.undone();
  await world.fleet.restart(world.random.int(0, 300));
  return struck;
}

async function strikeAnywhere(world: FaultWorld, fault: Fault): Promise<boolean> {
  const { fleet, random } = world;
  await sleep(random.int(0, 500));
  // The order desk does not keep references unique, and nobody can wake in time between its clock and its socket.
  const candidates = fleet.running().filter(({ options: { role } }) => fault.action !== 'stop' || role !== 'orders');
  const victim = random.pick(candidates);
  if (fault.action === 'kill') await victim.kill();
  if (fault.action === 'stop') victim.signal('SIGSTOP');
  await fault.strike(world, victim);
  return true;
}

async function strikeAt(world: FaultWorld, fault: Fault, point: FaultPointName): Promise<boolean> {
  const { fleet, random } = world;
  const skip = random.int(0, 2);
  const candidates = ROLES_AT[point].flatMap((role) => fleet.running(role));
  const victim = await firstToReach(candidates, async (child) => {
    const reached = await child.arm(point, fault.action, skip);
    return reached !== undefined || (fault.action === 'kill' && child.wasKilled);
  });
  // One that came there while the others were being told goes on at once: who else should take over from the victim?
  await letGo(candidates.filter((child) => child !== victim));
  if (victim === undefined) return false;
  await fault.strike(world, victim);
  await letGo(candidates);
  return true;
}

/** How long a process may take to stop after it has said that it will. */
const STOPPING_MS = 100;

async function letGo(children: readonly RoleChild[]): Promise<void> {
  for (const child of children) child.disarm();
  await sleep(STOPPING_MS);
  for (const child of children) {
    child.goOn();
    child.signal('SIGCONT');
  }
}

async function firstToReach(
  children: readonly RoleChild[],
  reach: (child: RoleChild) => Promise<boolean>,
): Promise<RoleChild | undefined> {
  const patience = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
  const reached = children.map(async (child) =>
    (await reach(child)) ? child : new Promise<undefined>(() => undefined),
  );
  const first = await Promise.race([late, ...reached]);
  patience.abort();
  return first;
}
