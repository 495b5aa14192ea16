// npm run test:fuzz -- --seed S --inputs N [--target T,…] [--minutes M] [--jobs J], or --replay FILE, or --index I with one target
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import Table from 'cli-table3';
import { outcomeOf, runStretch, type Failure, type Kinds, type Stretch } from './campaign.js';
import type { FuzzTarget } from './target.js';
import { TARGETS } from './targets/index.js';
import { runWatched } from './watched-worker.js';
import type { WorkerReport } from './worker.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '402' },
    inputs: { type: 'string', default: '15000' },
    target: { type: 'string' },
    minutes: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    index: { type: 'string' },
    replay: { type: 'string' },
    'input-ms': { type: 'string', default: '60000' },
  },
});

const MEBIBYTE = 1024 * 1024;
const BUDGET = { inputMs: wholeNumber('input-ms'), heapMb: 1_024 };
/** How much more may stay in use at the end of a stretch than after its first inputs. */
const LEAK = { factor: 3, bytes: 96 * MEBIBYTE };
/** Inputs that one thread runs: a campaign of minutes goes on with the next stretch. */
const STRETCH = 40_000;

interface TargetFigures {
  readonly target: string;
  inputs: number;
  seconds: number;
  kinds: Record<string, number>;
  heapMb: string;
}

function wholeNumber(name: 'seed' | 'inputs' | 'minutes' | 'jobs' | 'index' | 'input-ms'): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} is a whole number.`);
  return value;
}

function chosenTargets(): readonly FuzzTarget[] {
  const names = values.target?.split(',');
  const unknown = names?.filter((name) => !TARGETS.some((target) => target.name === name)) ?? [];
  if (unknown.length > 0) throw new RangeError(`Targets are ${TARGETS.map(({ name }) => name).join(', ')}.`);
  return TARGETS.filter(({ name }) => names?.includes(name) ?? true);
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Keeps the failing input, and says how to see it fail again. */
function report({ target, seed, index, reason, input }: Failure): void {
  const folder = join(import.meta.dirname, 'failures');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${target}-${seed}-${index}.bin`);
  writeFileSync(file, serialize({ target, input }));
  process.exitCode = 1;
  say(`\n${target} failed at input ${index} of seed ${seed}: ${reason}`);
  say(`again:  npm run test:fuzz -- --target ${target} --seed ${seed} --index ${index}`);
  say(`saved:  npm run test:fuzz -- --replay ${file}`);
}

async function replaySaved(file: string): Promise<void> {
  const saved = deserialize(readFileSync(file)) as { readonly target: string; readonly input: unknown };
  const target = TARGETS.find(({ name }) => name === saved.target);
  if (target === undefined) throw new RangeError(`There is no target ${saved.target} any more.`);
  const outcome = await outcomeOf(target, saved.input);
  say(outcome instanceof Error ? `fails: ${outcome.stack ?? outcome.message}` : `passes: ${outcome.kind}`);
  if (outcome instanceof Error) process.exitCode = 1;
}

async function replayIndex(target: FuzzTarget, index: number): Promise<void> {
  const result = await runStretch(target, { seed: wholeNumber('seed'), first: index, count: 1 });
  if ('failure' in result) report(result.failure);
  else say(`passes: ${Object.keys(result.kinds).join()}`);
}

function leaked({ heap }: WorkerReport): boolean {
  return heap.late > heap.early * LEAK.factor && heap.late - heap.early > LEAK.bytes;
}

async function runTarget(
  target: FuzzTarget,
  stretches: Iterable<Stretch>,
  endMs: number,
): Promise<TargetFigures | undefined> {
  const figures: TargetFigures = { target: target.name, inputs: 0, seconds: 0, kinds: {}, heapMb: '' };
  const startMs = performance.now();
  for (const stretch of stretches) {
    if (performance.now() > endMs) break;
    const outcome = await runWatched(target, stretch, BUDGET);
    const failure = 'result' in outcome ? failureOf(target, stretch, outcome) : outcome;
    if (failure !== undefined) {
      report(failure);
      return undefined;
    }
    if ('result' in outcome && 'kinds' in outcome.result) {
      add(figures.kinds, outcome.result.kinds);
      figures.heapMb = [outcome.heap.early, outcome.heap.late].map((bytes) => Math.round(bytes / MEBIBYTE)).join(' → ');
    }
    figures.inputs += stretch.count;
  }
  figures.seconds = Math.round((performance.now() - startMs) / 1_000);
  return figures;
}

function failureOf(target: FuzzTarget, stretch: Stretch, outcome: WorkerReport): Failure | undefined {
  if ('failure' in outcome.result) return outcome.result.failure;
  if (!leaked(outcome)) return undefined;
  const reason = `it leaks: ${outcome.heap.early} bytes early, ${outcome.heap.late} at the end of ${stretch.count} inputs`;
  return { target: target.name, seed: stretch.seed, index: stretch.first, reason, input: null };
}

function add(sums: Record<string, number>, kinds: Kinds): void {
  for (const [kind, count] of Object.entries(kinds)) sums[kind] = (sums[kind] ?? 0) + count;
}

/** The inputs of a target, cut into stretches; without an end where the time is the limit. */
function* stretchesOf(seed: number, inputs: number): Generator<Stretch> {
  for (let first = 0; first < inputs; first += STRETCH) yield { seed, first, count: Math.min(STRETCH, inputs - first) };
}

async function runCampaign(): Promise<void> {
  const targets = [...chosenTargets()];
  const minutes = values.minutes === undefined ? undefined : wholeNumber('minutes');
  const inputs = minutes === undefined ? Math.ceil(wholeNumber('inputs') / targets.length) : Infinity;
  const seed = wholeNumber('seed');
  const all: TargetFigures[] = [];
  const next = async (): Promise<void> => {
    for (let target = targets.shift(); target !== undefined; target = targets.shift()) {
      const limitMs = minutes === undefined ? Infinity : (minutes * 60_000) / chosenTargets().length;
      const figures = await runTarget(target, stretchesOf(seed, inputs), performance.now() + limitMs);
      if (figures !== undefined) {
        all.push(figures);
        say(`${figures.target}: ${figures.inputs} inputs in ${figures.seconds} s`);
      }
    }
  };
  await Promise.all(Array.from({ length: wholeNumber('jobs') }, next));
  say(tableOf(all));
  const total = all.reduce((sum, { inputs: count }) => sum + count, 0);
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1_024);
  say(`${total} inputs, each run twice, seed ${seed}; peak memory of the process ${peakMb} MiB.`);
  if (process.exitCode !== undefined) say('Failed.');
}

function tableOf(all: readonly TargetFigures[]): string {
  const table = new Table({
    head: ['target', 'inputs', 's', 'heap, MiB', 'outcomes'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [20, 10, 7, 12, 90],
  });
  for (const { target, inputs, seconds, heapMb, kinds } of all) {
    const outcomes = Object.entries(kinds).sort(([, left], [, right]) => right - left);
    table.push([target, inputs, seconds, heapMb, outcomes.map(([kind, count]) => `${kind} ${count}`).join(', ')]);
  }
  return table.toString();
}

const [only, ...others] = chosenTargets();
if (values.replay !== undefined) await replaySaved(values.replay);
else if (values.index === undefined) await runCampaign();
else if (only === undefined || others.length > 0) throw new RangeError('--index needs one --target.');
else await replayIndex(only, wholeNumber('index'));
