// Measures how long it takes, after a process was killed under load, until everything is done: for each role and for the
// standalone app, two processes of each, with the dead one started again and without.
// `npm run bench:recovery -- [--contracts 1000] [--runs 3] [--only orders]`.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { LocalSystem, type App, type AppProcess } from '@v402/local-system';
import { compareTrade, simulateTrade, type SimulatedTrade } from '@v402/simulators';
import Table from 'cli-table3';
import pg from 'pg';

const ROLES = ['intake', 'orders', 'workflows', 'relay'] as const satisfies readonly App[];

/** What is killed, and whether it is started again; nothing: how long the work takes that is left at that moment. */
interface Scenario {
  readonly victim: App;
  readonly then: 'restarted' | 'left dead' | 'not killed';
}

/** Seconds until all is done. */
interface Recovery {
  readonly sinceKill: number;
  /** Undefined where nothing was started. */
  readonly sinceRestart: number | undefined;
}

const PARTITIONS = 6;
const RESTART_AFTER_MS = 500;
const STALLED_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 50;
/** Eight processes share the connections of one small PostgreSQL. */
const ENV = { V402_DATABASE_CONNECTIONS: '5', V402_RECHECK_MS: '1000' };

const { values: options } = parseArgs({
  options: {
    contracts: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const [contracts, runs] = [Number(options.contracts), Number(options.runs)];
if (![contracts, runs].every((value) => Number.isInteger(value) && value >= 1)) {
  throw new RangeError('How many contracts, and how many runs? Whole numbers from 1 on.');
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** When the victim is in the middle of its work: it has done half of it. */
const HALF_WAY: Readonly<Record<App, string>> = {
  intake: `SELECT (SELECT count(*) FROM v402.settlement) >= ${contracts / 2} AS holds`,
  orders: `SELECT (SELECT count(*) FROM v402.order_placement WHERE state = 'created') >=
    (SELECT count(*) / 2 FROM v402.order_placement) AND (SELECT count(*) FROM v402.settlement) = ${contracts} AS holds`,
  workflows: `SELECT (SELECT count(*) FROM v402.delivery WHERE state = 'requested') >= ${contracts / 2} AS holds`,
  relay: `SELECT (SELECT count(*) FROM v402.event) - (SELECT count(*) FROM v402.outbox) >= ${contracts * 2} AS holds`,
  standalone: `SELECT (SELECT count(*) FROM v402.order_placement WHERE state = 'created') >= ${contracts} AS holds`,
};

const ALL_DONE = `SELECT (SELECT count(*) FROM v402.settlement) = ${contracts}
  AND NOT EXISTS (SELECT FROM v402.work WHERE kind = 'order' OR due_at <= clock_timestamp())
  AND NOT EXISTS (SELECT FROM v402.outbox) AS holds`;

const parts = await startLocalParts({ onProgress: say });
try {
  say(`Signing ${contracts} contracts …`);
  const trade = simulateTrade({ seed: 402, count: contracts, now: new Date().toISOString(), onlyGood: true });
  const victims = [...ROLES, 'standalone' as const].filter((app) => options.only === undefined || app === options.only);
  const results: { scenario: Scenario; recoveries: readonly Recovery[] }[] = [];
  for (const victim of victims) {
    for (const then of ['not killed', 'restarted', 'left dead'] as const) {
      const recoveries: Recovery[] = [];
      for (let run = 0; run < (then === 'not killed' ? 1 : runs); run += 1) {
        recoveries.push(await recover(parts, trade, { victim, then }));
      }
      results.push({ scenario: { victim, then }, recoveries });
    }
  }
  process.stdout.write(report(results));
} finally {
  await parts.stop();
}

async function recover(local: LocalParts, trade: SimulatedTrade, scenario: Scenario): Promise<Recovery> {
  const folder = await mkdtemp(join(tmpdir(), 'v402-recovery-'));
  const system = await LocalSystem.prepare({ parts: local, trade, folder, partitions: PARTITIONS });
  const books = new pg.Client({ connectionString: system.urls.ownerUrl });
  const processes: AppProcess[] = [];
  try {
    await books.connect();
    for (const app of scenario.victim === 'standalone' ? (['standalone'] as const) : ROLES) {
      for (const name of [`${app}-0`, `${app}-1`]) processes.push(system.startApp(app, name, ENV));
    }
    await Promise.all(processes.map((each) => each.untilReady()));
    await system.send(trade.waves.flat());
    const recovery = await killAndWait(system, books, scenario, processes);
    await requireSound(system, trade);
    say(`${scenario.victim} ${scenario.then}: ${recovery.sinceKill.toFixed(1)} s after the kill`);
    return recovery;
  } finally {
    await Promise.all(processes.map((each) => each.kill()));
    await books.end();
    await system.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

async function killAndWait(
  system: LocalSystem,
  books: pg.Client,
  { victim, then }: Scenario,
  processes: AppProcess[],
): Promise<Recovery> {
  await until(books, HALF_WAY[victim]);
  const killedMs = performance.now();
  let restartedMs: number | undefined;
  if (then !== 'not killed') await processes.find(({ app }) => app === victim)?.kill();
  if (then === 'restarted') {
    await sleep(RESTART_AFTER_MS);
    restartedMs = performance.now();
    processes.push(system.startApp(victim, `${victim}-0`, ENV));
  }
  await until(books, ALL_DONE);
  const doneMs = performance.now();
  return {
    sinceKill: (doneMs - killedMs) / 1000,
    sinceRestart: restartedMs === undefined ? undefined : (doneMs - restartedMs) / 1000,
  };
}

async function until(books: pg.Client, sql: string): Promise<void> {
  const endMs = performance.now() + STALLED_AFTER_MS;
  while ((await books.query<{ holds: boolean }>(sql)).rows[0]?.holds !== true) {
    if (performance.now() > endMs) throw new Error(`Not within ${STALLED_AFTER_MS} ms: ${sql}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** A death may deliver contracts and publish events again, and leave doubt that a look-up ends; nothing else. */
async function requireSound(system: LocalSystem, trade: SimulatedTrade): Promise<void> {
  const events = new Map((await system.readEvents()).map((event) => [event.id, event] as const).reverse());
  const seen = { events: [...events.values()].reverse(), ...(await system.readBooks()), duplicates: new Map() };
  const differences = compareTrade(trade.waves.flat(), seen).filter((text) => !text.includes('order.outcome_unknown'));
  if (differences.length > 0) throw new Error(`The run is not sound: ${differences.slice(0, 5).join('; ')}`);
}

function report(results: readonly { scenario: Scenario; recoveries: readonly Recovery[] }[]): string {
  const table = new Table({
    head: ['two processes each; one', 'is', 'runs', 'done after the kill: p50', 'max', 'after the restart: p50', 'max'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { scenario, recoveries } of results) {
    const kills = recoveries.map(({ sinceKill }) => sinceKill);
    const restarts = recoveries.flatMap(({ sinceRestart }) => sinceRestart ?? []);
    table.push([scenario.victim, scenario.then, recoveries.length, ...midAndMost(kills), ...midAndMost(restarts)]);
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node.js ${process.versions.node}`;
  return `\n${contracts} contracts, killed when half of its work is done, ${machine}; seconds\n${table.toString()}\n`;
}

function midAndMost(seconds: readonly number[]): readonly string[] {
  const sorted = [...seconds].sort((a, b) => a - b);
  return [sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)].map((value) => value?.toFixed(1) ?? '');
}
