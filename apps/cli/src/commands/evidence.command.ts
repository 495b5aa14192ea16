import { CollectEvidenceHandler, type EvidenceFile } from '@v402/application';
import { loadConfig } from '@v402/config';
import type { Command } from 'commander';
import { EXIT_NO } from '../exit.js';
import { writeText } from '../files.js';
import { toJson } from '../json.js';
import { withOrderSystem } from '../order-system.js';

interface EvidenceOptions {
  readonly out?: string;
  readonly orderSystem?: true;
}

const DETAILS = `
Writes one JSON file, v402-evidence/1, with everything that proves what was decided and why: the messages byte for byte,
the keys and the registry's digest at the decision, orders, payment legs, deliveries, holds and every event.
v402 verify checks it offline, years later. It holds names, addresses and amounts: keep it as you keep contracts.

Reads the database of V402_DATABASE_URL; with --order-system also V402_ORDER_SYSTEM and what that needs.

Exit status: 0 written, 1 nothing of that name was ever decided, 2 wrong usage or a part is away.`;

export function addEvidence(program: Command): void {
  program
    .command('evidence')
    .summary('write the whole proof of one contract into one file')
    .description('Writes the whole proof of one contract, or of one refused message, into one file.')
    .argument('<id>', 'a contractId, a shortRef, or the SHA-256 of a refused message')
    .option('--out <file>', 'write it there instead of to standard output, for you alone to read')
    .option('--order-system', 'ask the order system for its own copy of the orders, too')
    .addHelpText('after', DETAILS)
    .action((id: string, options: EvidenceOptions) => evidence(id, program.version() ?? '', options));
}

async function evidence(id: string, version: string, { out, orderSystem }: EvidenceOptions): Promise<void> {
  const file = await collect(id, version, orderSystem === true);
  if (file === undefined) {
    process.stderr.write('Nothing of that name was ever decided.\n');
    process.exitCode = EXIT_NO;
    return;
  }
  const text = toJson(file);
  if (out === undefined) process.stdout.write(text);
  else await writeText(out, text);
}

async function collect(id: string, version: string, asksOrderSystem: boolean): Promise<EvidenceFile | undefined> {
  const { V402_DATABASE_URL: url } = loadConfig(process.env, ['v402 evidence']);
  const { PgEvidenceArchive } = await import('@v402/persistence');
  const archive = new PgEvidenceArchive({ url, applicationName: 'v402 evidence' });
  try {
    if (!asksOrderSystem) return await new CollectEvidenceHandler(archive, version).handle(id);
    const config = loadConfig(process.env, ['v402 evidence --order-system']);
    return await withOrderSystem(config, (system) => new CollectEvidenceHandler(archive, version, system).handle(id));
  } finally {
    await archive.close();
  }
}
