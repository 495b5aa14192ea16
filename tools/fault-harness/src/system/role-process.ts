// A role as a process of its own, as its app runs it, or an operator at work; the harness can break it from outside.
import 'reflect-metadata';
import { Random } from '@v402/simulators';
import { removeGuard, type Guard } from '../controls/guards.js';
import { DeskOrderSystem } from './desk.adapter.js';
import { Operator } from './operator.js';
import { RemoteFaultPoint, report } from './remote-fault-point.js';
import {
  DESK_VARIABLE,
  GUARD_VARIABLE,
  ROLE_VARIABLE,
  SEED_VARIABLE,
  SKEW_VARIABLE,
  type FleetRole,
} from './role-messages.js';
import { skewClock } from './skewed-clock.js';

// Whoever started it is gone.
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGKILL');
});

skewClock(Number(process.env[SKEW_VARIABLE] ?? 0));
const guard = process.env[GUARD_VARIABLE];
const role = process.env[ROLE_VARIABLE] as FleetRole;
if (guard !== undefined) removeGuard(guard as Guard, role, tellOnce());

const faults = new RemoteFaultPoint();
const { openOperations, startRoles } = await import('@v402/roles');
if (role === 'operator') {
  const { handler, unitOfWork } = openOperations(process.env, faults);
  const operator = new Operator({
    handler,
    unitOfWork,
    actor: process.env['V402_PROCESS_NAME'] ?? role,
    random: new Random(Number(process.env[SEED_VARIABLE] ?? 0)),
    onRefused: (code) => report({ type: 'refused', code }),
  });
  // What it throws ends the process, and the harness sees that.
  void operator.act();
} else {
  const desk = process.env[DESK_VARIABLE];
  const orderSystem = desk === undefined ? {} : { orderSystem: new DeskOrderSystem(desk) };
  await startRoles([role], { env: process.env, faults, ...orderSystem });
}
await report({ type: 'ready' });

/** That this process is unguarded is news only once. */
function tellOnce(): () => void {
  let isTold = false;
  return () => {
    if (!isTold) void report({ type: 'unguarded' });
    isTold = true;
  };
}
