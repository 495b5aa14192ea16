import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@v402/simulators';
import type { DeskMode } from '../system/desk.js';
import type { Fault, FaultKind, FaultWorld } from './fault.js';

/** How long what passes soon lasts, in milliseconds. */
export const briefMs = (random: Random): number => random.int(200, 1_500);

/** Nothing is to be done beyond what the process does by itself. */
const nothing = (): Promise<void> => Promise.resolve();

/** A process that sleeps until others have taken over what it held, and then goes on as if nothing had happened. */
const zombie: Fault = {
  action: 'stop',
  strike: async ({ random, takeoverMs }, victim) => {
    const asleepMs = random.int(takeoverMs / 2, takeoverMs * 2);
    victim.wakeAfter(asleepMs);
    await sleep(asleepMs);
  },
};

const brief = ({ random }: FaultWorld): Promise<void> => sleep(briefMs(random));

const deskDoes = (mode: DeskMode): Fault => ({
  action: 'hold',
  strike: (world) => {
    const { desk } = world;
    if (desk === undefined) return nothing();
    desk.mode = mode;
    // The process goes on meanwhile, or nobody would ask the desk anything.
    world.undoLater(() => {
      desk.mode = 'works';
      return nothing();
    });
    return nothing();
  },
});

/** How each kind of fault is brought about, except for `late_answer`, which takes two processes and a quiet moment. */
export const FAULTS: Readonly<Record<Exclude<FaultKind, 'late_answer'>, Fault>> = {
  kill: { action: 'kill', strike: nothing },
  zombie,
  pause: { action: 'hold', strike: brief },
  postgres_restart: {
    action: 'hold',
    strike: async ({ parts }) => {
      await parts.postgres.stop('immediate');
      await parts.postgres.start();
    },
  },
  cut_connections: { action: 'hold', strike: ({ installation }) => installation.cutConnections() },
  read_only: {
    action: 'hold',
    strike: async (world) => {
      await world.installation.setReadOnly(true);
      await world.installation.cutConnections();
      world.undoLater(() => world.installation.setReadOnly(false));
    },
  },
  disk_full: {
    action: 'hold',
    strike: async (world) => {
      await world.installation.setDiskFull(true);
      world.undoLater(() => world.installation.setDiskFull(false));
    },
  },
  broker_kill: {
    action: 'hold',
    strike: async ({ parts }) => {
      await parts.kafka.kill();
      await parts.kafka.start();
    },
  },
  rebalance: {
    action: 'hold',
    strike: async ({ fleet, installation }) => {
      const extra = fleet.addExtra('intake');
      // Who waits at the point commits into the rebalance that the new member has begun.
      await installation.untilMember(extra.options.name);
      void sleep(1_500).then(() => {
        extra.signal('SIGTERM');
      });
    },
  },
  offsets_out_of_range: {
    action: 'kill',
    strike: async ({ fleet, installation }) => {
      await fleet.killAll('intake');
      // The end of a topic in which nothing is undecided skips nothing.
      await installation.untilMoreMessagesWait();
      await installation.moveOffsets();
      await fleet.restart();
    },
  },
  order_system_answer_lost: deskDoes('answer_lost'),
  order_system_commits_late: deskDoes('commits_late'),
  order_system_storm: deskDoes('storm'),
  order_system_busy: deskDoes('busy'),
  order_system_reset: deskDoes('reset'),
  order_system_hangs: deskDoes('hangs'),
};
