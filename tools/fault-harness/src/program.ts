import { appendFile, readFile, rm } from 'node:fs/promises';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import type { Instant } from '@v402/domain';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CONTROLS } from './controls/controls.js';
import { GUARDS, type Guard } from './controls/guards.js';
import type { FaultKind } from './faults/fault.js';
import { CELLS, FAULT_KINDS } from './faults/schedule.js';
import { report, type OutLine } from './report.js';
import { run, type RunResult } from './run.js';
import { controlsTable, summary, type ControlResult } from './summary.js';

interface Options {
  readonly seed: number;
  readonly now?: Instant;
  readonly contracts: number;
  readonly runs: number;
  readonly minutes: number;
  readonly calm: number;
  readonly faults: readonly FaultKind[];
  readonly processes: number;
  readonly orderSystem: 'desk' | 'embedded';
  readonly without?: Guard;
  readonly controls: boolean;
  readonly out?: string;
  readonly report?: string;
}

const whole = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number, please.');
  return Number(text);
};

const kinds = (text: string): readonly FaultKind[] => {
  if (text === 'all') return FAULT_KINDS;
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const kind = FAULT_KINDS.find((each) => each === name);
    if (kind === undefined) throw new InvalidArgumentError(`Faults are: all, none, ${FAULT_KINDS.join(', ')}.`);
    return kind;
  });
};

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

export const program = new Command('test:faults')
  .description('Settles contracts while everything breaks that may break, and looks from outside at what came of them.')
  .option('--seed <number>', 'of the messages and of the sequence of faults', whole, 1)
  .option('--now <instant>', 'when the agents agree, by default now; the messages depend on it')
  .option('--contracts <number>', 'different messages of a run, each sent three times', whole, 1_000)
  .option('--runs <number>', 'runs with one seed after the other', whole, 1)
  .option('--minutes <number>', 'how long each run is fed at least', whole, 0)
  .option('--calm <milliseconds>', 'how long it is calm at most between two faults', whole, 400)
  .option('--faults <kinds>', 'comma-separated kinds of faults, all or none', kinds, FAULT_KINDS)
  .option('--processes <number>', 'processes of each role', whole, 2)
  .addOption(new Option('--order-system <name>').choices(['desk', 'embedded']).default('desk'))
  .addOption(new Option('--without <guard>', 'take a guard out of every process').choices(GUARDS))
  .option('--controls', 'take out each guard in turn, and see whether that is noticed', false)
  .option('--out <file>', 'append the result of each run as a line of JSON')
  .option('--report <file>', 'run nothing; say what the results in the file show, as Markdown')
  .action(main);

async function main(options: Options): Promise<void> {
  if (options.report !== undefined) {
    const lines = (await readFile(options.report, 'utf8')).trim().split('\n');
    process.stdout.write(`${report(lines.map((line) => JSON.parse(line) as OutLine))}\n`);
    return;
  }
  const parts = await startLocalParts({ embedded: true, fsync: false, onProgress: say });
  try {
    await (options.controls ? runControls(parts, options) : runSeeds(parts, options));
  } finally {
    await parts.stop();
  }
}

async function runSeeds(parts: LocalParts, options: Options): Promise<void> {
  for (let number = 0; number < options.runs; number += 1) {
    const result = await run(parts, {
      ...options,
      seed: options.seed + number,
      cells: CELLS.filter(({ kind }) => options.faults.includes(kind)),
      atLeastMs: options.minutes * 60_000,
      calmMs: options.calm,
      without: options.without,
      say,
    });
    process.stdout.write(summary(result));
    if (options.out !== undefined) await appendFile(options.out, `${JSON.stringify(result)}\n`);
    if (result.violations.length > 0) {
      process.exitCode = 1;
      say(`To run it again: ${replay(options, result)}`);
    }
  }
}

/** How many seeds a control may take until what its guard prevents has happened. */
const CONTROL_SEEDS = 3;

/** Fails where the absence of a guard goes unnoticed: then the harness is too weak. */
async function runControls(parts: LocalParts, options: Options): Promise<void> {
  const results: ControlResult[] = [];
  for (const guard of options.without === undefined ? GUARDS : [options.without]) {
    const result = await runControl(parts, options, guard);
    results.push(result);
    process.stdout.write(controlsTable([result]));
    if (options.out !== undefined) await appendFile(options.out, `${JSON.stringify(result)}\n`);
    if (result.checks.length === 0) process.exitCode = 1;
  }
  if (results.length > 1) process.stdout.write(controlsTable(results));
}

async function runControl(parts: LocalParts, options: Options, guard: Guard): Promise<ControlResult> {
  const { cells, contracts, minutes, once, expects } = CONTROLS[guard];
  for (let number = 0; ; number += 1) {
    const seed = options.seed + number;
    const common = { seed, contracts, cells, orderSystem: 'desk', processes: options.processes } as const;
    const result = await run(parts, {
      ...common,
      atLeastMs: minutes * 60_000,
      ...(once && { once }),
      without: guard,
      patienceMs: 20_000,
      say,
    });
    if (!result.isUnguarded) throw new Error(`${guard} is not taken out: no process has come to where it would be.`);
    const telling = result.violations.filter(({ check }) => expects.includes(check));
    const checks = [...new Set(telling.map(({ check }) => check))];
    const [first] = telling;
    await rm(result.folder, { recursive: true, force: true });
    if (checks.length > 0 || number + 1 === CONTROL_SEEDS) return { guard, seed, checks, example: first?.text ?? '' };
  }
}

function replay(options: Options, { seed, now, contracts }: RunResult): string {
  const { calm, faults, minutes, orderSystem, processes, without } = options;
  const words = ['npm run test:faults --', `--seed ${seed}`, `--now ${now}`, `--contracts ${contracts}`];
  if (faults.length < FAULT_KINDS.length) words.push(`--faults ${faults.length === 0 ? 'none' : faults.join(',')}`);
  if (minutes > 0) words.push(`--minutes ${minutes}`);
  if (calm !== 400) words.push(`--calm ${calm}`);
  if (processes !== 2) words.push(`--processes ${processes}`);
  if (orderSystem !== 'desk') words.push(`--order-system ${orderSystem}`);
  if (without !== undefined) words.push(`--without ${without}`);
  return words.join(' ');
}
