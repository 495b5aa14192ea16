import Table from 'cli-table3';

type Cell = string | number | bigint | undefined;

/** A title over a table; nothing where there are no rows. */
export function table(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '';
  const drawn = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  drawn.push(...rows.map((row) => row.map((cell) => String(cell ?? ''))));
  return `\n${title}\n${drawn.toString()}\n`;
}

/** Lines of a name and a value, the values under each other. */
export function list(entries: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(width)}  ${String(value)}\n`)
    .join('');
}
