import { verifyEvidence, type EvidenceVerdict } from '@v402/application';
import { TerminalError, type Instant } from '@v402/domain';
import { loadTrustRegistry, TrustedSignatureVerifier, type TrustRegistry } from '@v402/signatures';
import type { Command } from 'commander';
import { EXIT_NO } from '../exit.js';
import { readBytes, readInput } from '../files.js';
import { toJson } from '../json.js';
import { instantOption, partiesOption, wholeNumberOption } from '../options.js';
import { evidenceText } from '../verify/evidence-text.js';
import { evidenceTools } from '../verify/evidence-tools.js';
import { judge, verdictText } from '../verify/verdict.js';

interface VerifyOptions {
  readonly registry?: string;
  readonly now?: Instant;
  readonly handlerId?: string;
  readonly parties?: readonly string[];
  readonly requireTranscript?: true;
  readonly graceSeconds?: number;
  readonly json?: true;
}

const LIMITS = `
A contract: works offline, and remembers nothing: what depends on contracts accepted earlier (a duplicate, superseded_unknown,
negotiation_conflict) only a handler decides. Whether the contract is expired, and whether an ended key is still
honoured, is decided by --now.

An evidence file, as v402 evidence writes it, is recognised and checked by itself, offline, as of the moments that are
recorded in it; docs/evidence.md says what is proven. With --registry it is also compared with that trust registry.
--now, --handler-id, --parties and --require-transcript are for contracts alone.

Exit status: 0 accepted or verified, 1 refused or not as it should be, 2 wrong usage or a file that cannot be read.`;

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('say whether a contract is accepted, and if not why; or verify an evidence file')
    .description(
      'Says whether a handler accepts a settlement contract, and if not, the refusal code and the place. Verifies an evidence file.',
    )
    .argument('<file>', 'the envelope, byte for byte as it travels on Kafka, or an evidence file; - for standard input')
    .option(
      '--registry <file>',
      'trust registry: which party may sign with which key. No verdict on a contract without one',
    )
    .option(
      '--now <instant>',
      "when the contract arrives at the handler (default: this machine's clock)",
      instantOption,
    )
    .option('--handler-id <id>', "the handler's own id, for contracts with an audience (default: none)")
    .option('--parties <ids>', 'the parties that the handler serves, comma-separated (default: *, all)', partiesOption)
    .option('--require-transcript', 'refuse an envelope without the transcript of its negotiation')
    .option('--grace-seconds <n>', "how long after a key's end it is honoured (default: a day)", wholeNumberOption(0))
    .option(
      '--json',
      'print outcome, code, where, contractId, shortRef, now and notes as JSON; of evidence, its checks',
    )
    .addHelpText('after', LIMITS)
    .action(verify);
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const bytes = await readInput(file);
  const registry = options.registry === undefined ? undefined : loadTrustRegistry(await readBytes(options.registry));
  const evidence = await verifyEvidence(bytes, evidenceTools(registry, options.graceSeconds));
  if (evidence === undefined) await verifyContract(bytes, registry, options);
  else printEvidence(evidence, options);
}

/** By these a contract is judged. Evidence has its own records of them. */
const OF_CONTRACTS = [
  { member: 'now', flag: '--now' },
  { member: 'handlerId', flag: '--handler-id' },
  { member: 'parties', flag: '--parties' },
  { member: 'requireTranscript', flag: '--require-transcript' },
] as const;

function printEvidence(verdict: EvidenceVerdict, options: VerifyOptions): void {
  const meaningless = OF_CONTRACTS.filter(({ member }) => options[member] !== undefined).map(({ flag }) => flag);
  if (meaningless.length > 0) {
    const message = `An evidence file is judged by what is recorded in it, not by ${meaningless.join(', ')}.`;
    throw new TerminalError('option_of_contracts', message);
  }
  process.stdout.write(options.json === true ? toJson(verdict) : evidenceText(verdict));
  if (verdict.outcome === 'failed') process.exitCode = EXIT_NO;
}

async function verifyContract(
  bytes: Uint8Array,
  registry: TrustRegistry | undefined,
  options: VerifyOptions,
): Promise<void> {
  if (registry === undefined) {
    throw new TerminalError('registry_missing', 'A contract is verified against a trust registry: give --registry.');
  }
  const arrival = options.now ?? new Date().toISOString();
  const { parties = ['*'] } = options;
  const context = {
    arrival,
    handlerId: options.handlerId ?? null,
    servedParties: parties.includes('*') ? null : parties,
    requireTranscript: options.requireTranscript === true,
  };
  const verifier = new TrustedSignatureVerifier(registry, options.graceSeconds);
  const judged = await judge(bytes, context, verifier);
  const clockNote = `Without --now it was judged as of this machine's clock, ${arrival}.`;
  const verdict = options.now === undefined ? { ...judged, notes: [...judged.notes, clockNote] } : judged;
  process.stdout.write(options.json === true ? toJson(verdict) : verdictText(verdict));
  if (verdict.outcome === 'rejected') process.exitCode = EXIT_NO;
}
