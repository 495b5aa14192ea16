import { loadConfig } from '@v402/config';
import type { Command } from 'commander';
import { EXIT_NO } from '../exit.js';
import { toJson } from '../json.js';
import { settlementText } from '../show/settlement-text.js';
import { withReader } from '../show/reading.js';

const DETAILS = `
Shows the orders, payment legs, deliveries, holds, decisions and events of a contract that was accepted.
Reads the database of V402_DATABASE_URL.

Exit status: 0 shown, 1 no such contract was accepted, 2 wrong usage or the database is away.`;

export function addShow(program: Command): void {
  program
    .command('show')
    .summary('show one settlement with all that belongs to it')
    .description('Shows one settlement with all that belongs to it.')
    .argument('<id>', 'a contractId or a shortRef')
    .option('--json', 'print it as JSON')
    .addHelpText('after', DETAILS)
    .action(show);
}

async function show(id: string, { json }: { readonly json?: true }): Promise<void> {
  const { V402_DATABASE_URL: url } = loadConfig(process.env, ['v402 show']);
  const settlement = await withReader(url, (reader) => reader.find(id));
  if (settlement === undefined) {
    process.stderr.write('No such contract was accepted.\n');
    process.exitCode = EXIT_NO;
    return;
  }
  process.stdout.write(json === true ? toJson(settlement) : settlementText(settlement));
}
