import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instant } from '@v402/domain';
import type { LocalParts } from '@v402/local-parts';
import { Random } from '@v402/simulators';
import type { Guard } from './controls/guards.js';
import { Feed } from './feed.js';
import type { FaultWorld } from './faults/fault.js';
import { briefMs } from './faults/faults.js';
import { schedule } from './faults/schedule.js';
import { strike, type Cell } from './faults/strike.js';
import { judge } from './oracle/judge.js';
import { look, type Seen } from './oracle/seen.js';
import type { Violation } from './oracle/violation.js';
import { makeStories } from './stories/make-stories.js';
import { APPROVAL_OVER } from './system/acted-on.js';
import { Fleet } from './system/fleet.js';
import { Installation } from './system/installation.js';
import { OrderDesk } from './system/order-desk.js';
import { DESK_VARIABLE, GUARD_VARIABLE } from './system/role-messages.js';

export interface RunOptions {
  readonly seed: number;
  /** When the agents agree; now if absent. It has to be about now, or contracts are expired. */
  readonly now?: Instant;
  /** How many different messages; each is sent three times. */
  readonly contracts: number;
  /** Each message is sent once instead. */
  readonly once?: boolean;
  /** Which faults may strike; none: the run is undisturbed. */
  readonly cells: readonly Cell[];
  readonly orderSystem: 'desk' | 'embedded';
  /** Of each role, and so many operators. */
  readonly processes: number;
  /** The feed is stretched so that faults strike for at least so long, in milliseconds. */
  readonly atLeastMs: number;
  /** How long it is calm at most between two faults, in milliseconds; 400 if absent. */
  readonly calmMs?: number;
  /** A guard that every process lacks. */
  readonly without: Guard | undefined;
  /** How long it may take at the end until nothing is under way any more, in milliseconds; two minutes if absent. */
  readonly patienceMs?: number;
  readonly say: (line: string) => void;
}

export interface StruckCell extends Cell {
  readonly struck: boolean;
}

export interface RunResult {
  readonly seed: number;
  readonly now: Instant;
  readonly contracts: number;
  readonly messages: number;
  readonly settlements: number;
  readonly orders: number;
  readonly events: number;
  readonly conflicts: number;
  readonly refusals: number;
  /** What operators did, by what they did and why it waited for them. */
  readonly actions: Readonly<Record<string, number>>;
  /** How often operators were told no, by the code. */
  readonly actionsRefused: Readonly<Record<string, number>>;
  /** Whether a process came to where a guard is taken out. */
  readonly isUnguarded: boolean;
  readonly faults: readonly StruckCell[];
  readonly violations: readonly Violation[];
  readonly seconds: number;
  /** Logs of the processes and files of the run; removed where nothing was wrong. */
  readonly folder: string;
}

/** What a claim and a place in the consumer group last here, and how long both take to be somebody else's. */
const LEASE_MS = 2_000;
const SESSION_MS = 3_000;
const TAKEOVER_MS = 5_000;
/** How long nothing more may come to pass before the run is judged as it stands. */
const PATIENCE_MS = 120_000;
const IDLE_POLL_MS = 250;
const CALM_MS = 400;

const TIMING = {
  V402_LEASE_MS: String(LEASE_MS),
  V402_ORDER_CALL_TIMEOUT_MS: '1000',
  V402_POLL_MS: '100',
  // Hundreds of deals stay held: to look at each of them every second would be most of the work.
  V402_RECHECK_MS: '10000',
  V402_KAFKA_SESSION_MS: String(SESSION_MS),
  // It would restore what was lost before anybody could see it, and compare what nobody asks about.
  V402_SWEEP_MS: '86400000',
  V402_RECONCILE_EVERY_MINUTES: '0',
};

/** One run: contracts in, faults all the while, and then a look at what came of it. */
export async function run(parts: LocalParts, options: RunOptions): Promise<RunResult> {
  const { seed, contracts, cells, say } = options;
  const startedMs = performance.now();
  const { now = new Date().toISOString() } = options;
  const folder = await mkdtemp(join(tmpdir(), `v402-faults-${seed}-`));
  await mkdir(join(folder, 'logs'));
  say(`seed ${seed}: signing ${contracts} contracts`);
  const { stories, sends, copies, trade } = makeStories({ seed, contracts, now, once: options.once === true });
  const random = new Random(seed + 1);
  const installation = await Installation.prepare(parts, trade, folder, options);
  const desk = options.orderSystem === 'desk' ? await OrderDesk.open(new Random(seed + 2)) : undefined;
  const fleet = new Fleet({
    env: {
      ...installation.system.environment,
      ...TIMING,
      V402_APPROVAL_OVER: `*=${APPROVAL_OVER}`,
      ...(desk !== undefined && { [DESK_VARIABLE]: desk.url }),
      ...(options.without !== undefined && { [GUARD_VARIABLE]: options.without }),
    },
    processes: options.processes,
    operatorUrls: await installation.makeOperators(options.processes),
    folder: join(folder, 'logs'),
    random,
  });
  const struck: StruckCell[] = [];
  let seen: Seen;
  try {
    await fleet.start();
    say(`seed ${seed}: ${sends.length} messages`);
    const feed = new Feed(installation, sends, options.atLeastMs);
    const undoing: Promise<void>[] = [];
    const world: FaultWorld = {
      parts,
      installation,
      fleet,
      desk,
      random,
      takeoverMs: TAKEOVER_MS,
      inQuiet: (use) => feed.inQuiet(use),
      undoLater: (undo) => {
        undoing.push(sleep(briefMs(random)).then(undo));
      },
      undone: async () => {
        await Promise.all(undoing.splice(0));
      },
    };
    const feeding = feed.run();
    // It is asked for what went wrong when the faults are over.
    feeding.catch(() => undefined);
    if (cells.length > 0) {
      await installation.untilDecided();
      await strikeAll(world, feed, schedule(cells, new Random(seed + 3)), {
        struck,
        calmMs: options.calmMs ?? CALM_MS,
        say,
      });
    }
    await feeding;
    await fleet.restart();
    await untilIdle(installation, options.patienceMs ?? PATIENCE_MS, say);
    seen = await look(installation, desk?.orders);
  } finally {
    await fleet.killAll();
    await desk?.close();
    await installation.remove();
  }
  const crashes = fleet.crashes.map((text): Violation => ({ check: 'crash', text }));
  const violations = [...judge({ stories, copies, now }, seen), ...crashes];
  if (violations.length === 0) await rm(folder, { recursive: true, force: true });
  return {
    seed,
    now,
    contracts,
    messages: sends.length,
    settlements: seen.settlements.length,
    orders: seen.orders.length,
    events: seen.storedEvents.size,
    conflicts: seen.quarantine.filter(({ reason }) => reason === 'equivocation').length,
    refusals: seen.rejections.length,
    actions: actionsOf(seen),
    actionsRefused: fleet.refusals,
    isUnguarded: fleet.isUnguarded,
    faults: struck,
    violations,
    seconds: (performance.now() - startedMs) / 1000,
    folder,
  };
}

function actionsOf({ audit }: Seen): Readonly<Record<string, number>> {
  const names = audit.map(({ action, details }) => `${action} ${details['case'] ?? ''}`);
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, same]) => [name, same.length]));
}

/** One fault after the other, as long as there is something to feed; one at least. */
async function strikeAll(
  world: FaultWorld,
  feed: Feed,
  cells: Generator<Cell, never>,
  {
    struck,
    calmMs,
    say,
  }: { readonly struck: StruckCell[]; readonly calmMs: number; readonly say: (line: string) => void },
): Promise<void> {
  do {
    const cell = cells.next().value;
    const hasStruck = await strike(world, cell);
    struck.push({ ...cell, struck: hasStruck });
    say(`${feed.progress}  ${cell.place} ${cell.kind}${hasStruck ? '' : ' (nobody came there)'}`);
    await feed.goesOn(world.random.int(0, calmMs));
  } while (!feed.isOver);
}

/** Until nothing is under way any more; what still is after a while without any change is judged as it stands. */
async function untilIdle(installation: Installation, patienceMs: number, say: (line: string) => void): Promise<void> {
  let [reached, changedMs] = [await installation.progress(), performance.now()];
  while (!(await installation.isIdle())) {
    const progress = await installation.progress();
    if (progress !== reached) [reached, changedMs] = [progress, performance.now()];
    if (performance.now() - changedMs > patienceMs) {
      say('It does not come to rest.');
      return;
    }
    await sleep(IDLE_POLL_MS);
  }
}
