import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { LocalSystem, type AppProcess } from '@v402/local-system';
import { compareTrade, simulateTrade, type SimulatedTrade } from '@v402/simulators';
import type { DemoView } from './demo-view.js';
import { figuresText, verdictText } from './figures-text.js';
import { keptText, nextText } from './look-further.js';
import { tradeThrough } from './trade-through.js';

export interface DemoOptions {
  /** How many messages are sent. */
  readonly contracts: number;
  readonly seed: number;
  /** Whether all goes on running at the end. */
  readonly keep: boolean;
}

const PARTITIONS = 3;
/** In the working directory: where kept parts, their files and the log are found again. */
const KEPT_FOLDER = join('.v402', 'demo');

/**
 * The demonstration: parts, system, trade, comparison.
 * @returns whether everything is exactly as it must be
 */
export async function runDemo(options: DemoOptions, view: DemoView, signal: AbortSignal): Promise<boolean> {
  const { keep } = options;
  const onProgress = (line: string): void => {
    view.say(line);
  };
  const parts = await startLocalParts({ ...(keep && { keep, dir: KEPT_FOLDER }), onProgress });
  const folder = keep ? resolve(KEPT_FOLDER) : await mkdtemp(join(tmpdir(), 'v402-demo-'));
  const demo = new Demo(options, parts, folder, view, signal);
  try {
    signal.throwIfAborted();
    return await demo.run();
  } finally {
    if (!demo.isKept) await parts.stop();
    // Of what went wrong the log remains.
    if (!demo.isKept && (demo.isRight || signal.aborted)) await rm(folder, { recursive: true, force: true });
  }
}

class Demo {
  isKept = false;
  isRight = false;

  constructor(
    private readonly options: DemoOptions,
    private readonly parts: LocalParts,
    private readonly folder: string,
    private readonly view: DemoView,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<boolean> {
    const { seed, contracts: count, keep } = this.options;
    const trade = simulateTrade({ seed, count, now: new Date().toISOString() });
    const { parts, folder, view } = this;
    const system = await LocalSystem.prepare({ parts, trade, folder, partitions: PARTITIONS });
    view.say('The database, the topics, the trust registry and the approved accounts are there.');
    const standalone = system.startStandalone({ outlive: keep });
    try {
      await this.#demonstrate(system, standalone, trade);
      this.isKept = keep;
      view.write(keep ? keptText(system, standalone, trade.waves.flat(), folder) : nextText());
      if (!keep && !this.isRight) view.write(`The log of the standalone app: ${system.logFile}\n`);
    } finally {
      await (this.isKept ? system.close() : stop(system, standalone));
    }
    return this.isRight;
  }

  async #demonstrate(system: LocalSystem, standalone: AppProcess, trade: SimulatedTrade): Promise<void> {
    const { view, signal } = this;
    await standalone.untilReady(signal);
    const messages = trade.waves.flat();
    view.say(`The standalone app runs all roles in one process. Agents send it ${messages.length} contracts.`);
    const record = await tradeThrough(system, standalone, trade, view, signal);
    view.say('Reading the topics, the order book and the database.');
    const [events, books] = await Promise.all([system.readEvents(), system.readBooks()]);
    const seen = { events, ...books };
    const differences = compareTrade(messages, seen);
    view.write(figuresText(messages, seen, record));
    view.write(verdictText(differences));
    this.isRight = differences.length === 0;
  }
}

async function stop(system: LocalSystem, standalone: AppProcess): Promise<void> {
  await standalone.stop();
  await system.remove();
}
