// A role as a process of its own, as its app runs it, that the harness can break from outside.
import 'reflect-metadata';
import type { Role } from '@v402/config';
import { removeGuard, type Guard } from '../controls/guards.js';
import { DeskOrderSystem } from './desk.adapter.js';
import { RemoteFaultPoint, report } from './remote-fault-point.js';
import { DESK_VARIABLE, GUARD_VARIABLE, ROLE_VARIABLE, SKEW_VARIABLE } from './role-messages.js';
import { skewClock } from './skewed-clock.js';

// Whoever started it is gone.
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGKILL');
});

skewClock(Number(process.env[SKEW_VARIABLE] ?? 0));
const guard = process.env[GUARD_VARIABLE];
const role = process.env[ROLE_VARIABLE] as Role;
if (guard !== undefined) removeGuard(guard as Guard, role);

const { startRoles } = await import('@v402/roles');
const desk = process.env[DESK_VARIABLE];
await startRoles([role], {
  env: process.env,
  faults: new RemoteFaultPoint(),
  ...(desk !== undefined && { orderSystem: new DeskOrderSystem(desk) }),
});
await report({ type: 'ready' });
