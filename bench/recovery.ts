// Measures, under a steady load, how soon all is done after a process was killed: for each role and for the standalone app,
// two processes of each, with the dead one started again and without. What has been sent until the restart counts; the load
// goes on meanwhile. `npm run bench:recovery -- [--rate 20] [--seconds 10] [--runs 5] [--only orders]`.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { LocalSystem, type App, type AppProcess } from '@v402/local-system';
import { compareTrade, simulateTrade, type SimulatedMessage, type SimulatedTrade } from '@v402/simulators';
import Table from 'cli-table3';
import pg from 'pg';

const ROLES = ['intake', 'orders', 'workflows', 'relay'] as const satisfies readonly App[];

/** What is killed, and whether it is started again; not killed: how long the work takes that is under way at any moment. */
interface Scenario {
  readonly victim: App;
  readonly then: 'restarted' | 'left dead' | 'not killed';
}

/** Seconds until all is done that had been sent by then. */
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
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
  },
});
const [rate, seconds, runs] = [Number(options.rate), Number(options.seconds), Number(options.runs)];
if (![rate, seconds, runs].every((value) => Number.isInteger(value) && value >= 1)) {
  throw new RangeError('How many contracts a second, for how long, and how many runs? Whole numbers from 1 on.');
}
const contracts = rate * seconds;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Of these contracts nothing is left to do: each has its settlement and orders, what is due was asked for, all of it is published. */
const ALL_DONE = `SELECT (SELECT count(*) FROM v402.settlement WHERE contract_id = ANY ($1)) = cardinality($1::bytea[])
  AND NOT EXISTS (SELECT FROM v402.work
                   WHERE contract_id = ANY ($1) AND (kind = 'order' OR due_at <= clock_timestamp()))
  AND NOT EXISTS (SELECT FROM v402.outbox WHERE stream = ANY ($1)) AS holds`;

/** Sends contracts one after the other at the same rate, whatever becomes of them. */
class Load {
  readonly system: LocalSystem;
  readonly messages: readonly SimulatedMessage[];
  #sent = 0;

  constructor(system: LocalSystem, messages: readonly SimulatedMessage[]) {
    this.system = system;
    this.messages = messages;
  }

  /** contractIds of what Kafka has by now. */
  get sent(): readonly Buffer[] {
    return this.messages
      .slice(0, this.#sent)
      .flatMap(({ outcome }) => (outcome.kind === 'accepted' ? [Buffer.from(outcome.contractId, 'hex')] : []));
  }

  async run(): Promise<void> {
    const startedMs = performance.now();
    for (const message of this.messages) {
      await sleep(Math.max(0, startedMs + (this.#sent * 1000) / rate - performance.now()));
      await this.system.send([message]);
      this.#sent += 1;
    }
  }
}

const parts = await startLocalParts({ onProgress: say });
try {
  say(`Signing ${contracts} contracts …`);
  const trade = simulateTrade({ seed: 402, count: contracts, now: new Date().toISOString(), onlyGood: true });
  const victims = [...ROLES, 'standalone' as const].filter((app) => options.only === undefined || app === options.only);
  const results: { scenario: Scenario; recoveries: readonly Recovery[] }[] = [];
  for (const victim of victims) {
    for (const then of ['not killed', 'restarted', 'left dead'] as const) {
      const recoveries: Recovery[] = [];
      for (let run = 0; run < runs; run += 1) {
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
    const load = new Load(system, trade.waves.flat());
    const [recovery] = await Promise.all([killAndWait(system, books, load, scenario, processes), load.run()]);
    await until(books, load.sent);
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
  load: Load,
  { victim, then }: Scenario,
  processes: AppProcess[],
): Promise<Recovery> {
  // In the middle of the load, and not always at the same moment of a lease or a session.
  await sleep(seconds * 1000 * (0.3 + Math.random() * 0.3));
  const killedMs = performance.now();
  if (then !== 'not killed') await processes.find(({ app }) => app === victim)?.kill();
  let restartedMs: number | undefined;
  if (then === 'restarted') {
    await sleep(RESTART_AFTER_MS);
    restartedMs = performance.now();
    processes.push(system.startApp(victim, `${victim}-0`, ENV));
  }
  await until(books, load.sent);
  const doneMs = performance.now();
  return {
    sinceKill: (doneMs - killedMs) / 1000,
    sinceRestart: restartedMs === undefined ? undefined : (doneMs - restartedMs) / 1000,
  };
}

async function until(books: pg.Client, sent: readonly Buffer[]): Promise<void> {
  const endMs = performance.now() + STALLED_AFTER_MS;
  while ((await books.query<{ holds: boolean }>(ALL_DONE, [sent])).rows[0]?.holds !== true) {
    if (performance.now() > endMs)
      throw new Error(`${sent.length} contracts were not done within ${STALLED_AFTER_MS} ms.`);
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
  return `\n${rate} contracts a second, ${machine}; seconds until all is done that was sent before\n${table.toString()}\n`;
}

function midAndMost(seconds: readonly number[]): readonly string[] {
  const sorted = [...seconds].sort((a, b) => a - b);
  return [sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)].map((value) => value?.toFixed(1) ?? '');
}
