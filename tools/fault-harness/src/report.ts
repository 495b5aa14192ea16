import { FAULT_KINDS } from './faults/schedule.js';
import type { FaultKind, FaultPlace } from './faults/fault.js';
import type { RunResult, StruckCell } from './run.js';
import type { ControlResult } from './summary.js';

/** A line that `--out` has written. */
export type OutLine = RunResult | ControlResult;

const PLACES: readonly FaultPlace[] = ['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9', 'any'];
const LOST: ReadonlySet<string> = new Set(['settlement', 'refusal', 'event_record', 'stuck']);
const TWICE: ReadonlySet<string> = new Set(['order', 'payment', 'event_identity']);

const isRun = (line: OutLine): line is RunResult => 'violations' in line;

/** What many runs have shown, as Markdown: totals, faults by place and kind, runs by seed, guards taken out. */
export function report(lines: readonly OutLine[]): string {
  const runs = lines.filter(isRun);
  const controls = lines.filter((line): line is ControlResult => !isRun(line));
  return [totals(runs), cellsTable(runs.flatMap(({ faults }) => faults)), seedsTable(runs), controlsTable(controls)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function totals(runs: readonly RunResult[]): string {
  const sum = (of: (run: RunResult) => number): string =>
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
    ],
  );
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

function seedsTable(runs: readonly RunResult[]): string {
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
