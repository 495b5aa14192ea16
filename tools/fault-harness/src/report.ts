import { CELLS, FAULT_KINDS } from './faults/schedule.js';
import type { FaultKind, FaultPlace } from './faults/fault.js';
import type { Cell } from './faults/strike.js';
import type { RunResult, StruckCell } from './run.js';
import type { ControlResult } from './summary.js';

/** What an earlier version wrote says nothing of operators. */
type ReportedRun = Omit<RunResult, 'actions' | 'actionsRefused'> &
  Partial<Pick<RunResult, 'actions' | 'actionsRefused'>>;

/** A line that `--out` has written. */
export type OutLine = ReportedRun | ControlResult;

const PLACES: readonly FaultPlace[] = ['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9', 'any'];
const LOST: ReadonlySet<string> = new Set(['settlement', 'refusal', 'event_record', 'stuck']);
const TWICE: ReadonlySet<string> = new Set(['order', 'payment', 'event_identity']);

const isRun = (line: OutLine): line is ReportedRun => 'violations' in line;

/** What many runs have shown, as Markdown: totals, faults by place and kind, runs by seed, guards taken out. */
export function report(lines: readonly OutLine[]): string {
  const runs = lines.filter(isRun);
  const controls = lines.filter((line): line is ControlResult => !isRun(line));
  return [
    totals(runs),
    actionsTable(runs),
    cellsTable(runs.flatMap(({ faults }) => faults)),
    neverStruck(runs.flatMap(({ faults }) => faults)),
    seedsTable(runs),
    controlsTable(controls),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function totals(runs: readonly ReportedRun[]): string {
  const sum = (of: (run: ReportedRun) => number): string =>
    runs.reduce((total, run) => total + of(run), 0).toLocaleString('en');
  const violations = (checks: ReadonlySet<string>): string =>
    sum((run) => run.violations.filter(({ check }) => checks.has(check)).length);
  return markdown(
    ['', ''],
    [
      ['runs', sum(() => 1)],
      ['different messages', sum(({ contracts }) => contracts)],
      ['deliveries of them', sum(({ messages }) => messages)],
      ['settlements', sum(({ settlements }) => settlements)],
      ['orders', sum(({ orders }) => orders)],
      ['events', sum(({ events }) => events)],
      ['refused contents', sum(({ refusals }) => refusals)],
      ['conflicts quarantined', sum(({ conflicts }) => conflicts)],
      ['faults that struck', sum(({ faults }) => faults.filter(({ struck }) => struck).length)],
      ['**lost**', `**${violations(LOST)}**`],
      ['**twice**', `**${violations(TWICE)}**`],
      ['**conflicts processed**', `**${violations(new Set(['quarantine', 'hold']))}**`],
      ['**out of order**', `**${violations(new Set(['event_order']))}**`],
      ['**not written down once**', `**${violations(new Set(['audit']))}**`],
      ['**processes that crashed**', `**${violations(new Set(['crash']))}**`],
    ],
  );
}

/** What operators did, and how often they were told no. */
function actionsTable(runs: readonly ReportedRun[]): string {
  const done = total(runs.map(({ actions = {} }) => actions));
  const refused = total(runs.map(({ actionsRefused = {} }) => actionsRefused));
  if (done.length + refused.length === 0) return '';
  return markdown(
    ['operators', 'times'],
    [...done, ...refused.map(([code, times]) => [`told no: ${code}`, times] as const)],
  );
}

function total(
  counts: readonly Readonly<Record<string, number>>[],
): readonly (readonly [name: string, times: string])[] {
  const byName = Map.groupBy(
    counts.flatMap((each) => Object.entries(each)),
    ([name]) => name,
  );
  return [...byName]
    .sort(([one], [other]) => one.localeCompare(other, 'en'))
    .map(([name, each]) => [name, each.reduce((sum, [, times]) => sum + times, 0).toLocaleString('en')]);
}

/** How often each kind struck at each place. */
function cellsTable(faults: readonly StruckCell[]): string {
  const struck = faults.filter((fault) => fault.struck);
  const count = (kind: FaultKind, place: FaultPlace): string =>
    String(struck.filter((fault) => fault.kind === kind && fault.place === place).length || '');
  return markdown(
    ['fault', ...PLACES],
    FAULT_KINDS.map((kind) => [kind, ...PLACES.map((place) => count(kind, place))]),
  );
}

/** A place and a fault that never met show nothing, however many runs there were. */
function neverStruck(faults: readonly StruckCell[]): string {
  const cellOf = ({ place, kind }: Cell): string => `${place} ${kind}`;
  const struck = new Set(faults.filter((fault) => fault.struck).map(cellOf));
  const missing = CELLS.map(cellOf).filter((cell) => !struck.has(cell));
  return faults.length === 0 || missing.length === 0 ? '' : `Never struck: ${missing.join(', ')}.`;
}

function seedsTable(runs: readonly ReportedRun[]): string {
  return markdown(
    ['seed', 'messages', 'settlements', 'orders', 'faults', 'seconds', 'violations'],
    runs.map(({ seed, contracts, settlements, orders, faults, seconds, violations }) => [
      String(seed),
      String(contracts),
      String(settlements),
      String(orders),
      String(faults.filter(({ struck }) => struck).length),
      seconds.toFixed(0),
      String(violations.length),
    ]),
  );
}

function controlsTable(controls: readonly ControlResult[]): string {
  if (controls.length === 0) return '';
  return markdown(
    ['guard taken out', 'noticed by', 'seed', 'for example'],
    controls.map(({ guard, checks, seed, example }) => [guard, checks.join(', '), String(seed), example]),
  );
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
