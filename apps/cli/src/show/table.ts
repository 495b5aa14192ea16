import { printable } from '@v402/domain';
import Table from 'cli-table3';

type Cell = string | number | bigint | undefined;

/**
 * A title over a table; nothing where there are no rows. Cells may hold texts of strangers (ids of a contract, numbers of an
 * order system): nothing in them reaches the terminal as a command or as a line of its own.
 */
export function table(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '';
  const drawn = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  drawn.push(...rows.map((row) => row.map((cell) => printable(String(cell ?? '')))));
  return `\n${title}\n${drawn.toString()}\n`;
}

/** Lines of a name and a value, the values under each other and as safe as in a table. */
export function list(entries: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}\n`)
    .join('');
}
