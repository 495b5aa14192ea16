import { loadConfig } from '@v402/config';
import type { Command } from 'commander';
import { toJson } from '../json.js';
import { figuresText } from '../show/figures-text.js';
import { withReader } from '../show/reading.js';

const DETAILS = `
Reads the database of V402_DATABASE_URL.

Exit status: 0 shown, 2 wrong usage or the database is away.`;

export function addOverview(program: Command): void {
  program
    .command('overview')
    .summary('show how much of everything there is')
    .description(
      'Shows how many settlements, orders, payment legs, deliveries, refusals and holds there are, by state.',
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', DETAILS)
    .action(overview);
}

async function overview({ json }: { readonly json?: true }): Promise<void> {
  const { V402_DATABASE_URL: url } = loadConfig(process.env, ['v402 overview']);
  const figures = await withReader(url, (reader) => reader.figures());
  process.stdout.write(json === true ? toJson(figures) : figuresText(figures));
}
