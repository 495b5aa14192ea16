import Table from 'cli-table3';
import type { Guard } from './controls/guards.js';
import type { Check } from './oracle/violation.js';
import type { RunResult } from './run.js';

const SHOWN = 20;

/** A run in a few lines, for people. */
export function summary(result: RunResult): string {
  const { seed, contracts, messages, settlements, orders, events, conflicts, refusals, faults, seconds } = result;
  const struck = faults.filter((fault) => fault.struck).length;
  const figures = [
    `seed ${seed}: ${contracts} contracts in ${messages} messages, ${struck} faults, ${seconds.toFixed(0)} s`,
    `  ${settlements} settlements, ${orders} orders, ${events} events, ${refusals} refusals, ${conflicts} conflicts`,
  ];
  const { actions, actionsRefused } = result;
  const acted = Object.entries(actions).map(([name, times]) => `${times} ${name}`);
  const refused = Object.entries(actionsRefused).map(([code, times]) => `${times} ${code}`);
  if (acted.length > 0) figures.push(`  operators: ${acted.join(', ')}; told no: ${refused.join(', ')}`);
  return `${figures.join('\n')}\n${verdict(result)}`;
}

function verdict({ violations, folder }: RunResult): string {
  if (violations.length === 0) return '  nothing lost, nothing twice\n';
  const table = new Table({ head: ['check', 'violations'], style: { head: [], border: [], compact: true } });
  for (const [check, found] of Map.groupBy(violations, (each) => each.check)) table.push([check, found.length]);
  const lines = violations.slice(0, SHOWN).map(({ check, text }) => `  ${check}: ${text}\n`);
  return `${table.toString()}\n${lines.join('')}  logs: ${folder}\n`;
}

/** What a run without a guard was noticed by. */
export interface ControlResult {
  readonly guard: Guard;
  readonly seed: number;
  /** None: nobody noticed. */
  readonly checks: readonly Check[];
  readonly example: string;
}

export function controlsTable(results: readonly ControlResult[]): string {
  const head = ['guard taken out', 'noticed by', 'seed', 'for example'];
  const table = new Table({
    head,
    style: { head: [], border: [], compact: true },
    colWidths: [null, 36, null, 70],
    wordWrap: true,
  });
  for (const { guard, checks, seed, example } of results) {
    table.push([guard, checks.length === 0 ? 'nothing' : checks.join(', '), seed, example]);
  }
  return `${table.toString()}\n`;
}
