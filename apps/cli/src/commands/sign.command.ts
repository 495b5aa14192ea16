import { stat } from 'node:fs/promises';
import { SIDES, type Side } from '@v402/domain';
import { readPrivateKey } from '@v402/signatures';
import { Option, type Command } from 'commander';
import { EXIT_NO } from '../exit.js';
import { readBytes, readInput, writeText } from '../files.js';
import { addSignature, readForSigning } from '../sign/add-signature.js';

interface SignOptions {
  readonly role: Side;
  readonly key: string;
  readonly kid?: string;
  readonly out?: string;
}

const EXAMPLES = `
Prints the envelope with this party's signature; another one of the same party is replaced, the other party's is kept.
A contract that every handler would refuse, whoever signed it, is not signed.

  v402 sign contract.json --role buyer --key buyer.hex | v402 sign - --role seller --key seller.jwk --out envelope.json

Exit status: 0 signed, 1 not signed, 2 wrong usage or a file that cannot be used.`;

export function addSign(program: Command): void {
  program
    .command('sign')
    .summary("add one party's signature to a contract")
    .description("Adds one party's signature to a settlement contract.")
    .argument('<file>', 'a contract, or an envelope; - for standard input')
    .addOption(new Option('--role <role>', 'the party that signs').choices(SIDES).makeOptionMandatory())
    .requiredOption('--key <file>', 'private key: 32 bytes of hex (suite eip712) or a private JWK (suite jws)')
    .option(
      '--kid <kid>',
      "the key's name in the registry (default: the JWK's kid; the account of a hex key on chain 1)",
    )
    .option('--out <file>', 'write the envelope there instead of to standard output, for you alone to read')
    .addHelpText('after', EXAMPLES)
    .action(sign);
}

async function sign(file: string, { role, key: keyFile, kid, out }: SignOptions): Promise<void> {
  const key = readPrivateKey(Buffer.from(await readBytes(keyFile)).toString('utf8'), kid);
  await warnOfReaders(keyFile);
  const read = await readForSigning(await readInput(file));
  if (!read.ok) {
    const { code, where = '' } = read.refusal;
    process.stderr.write(`Not signed, since every handler would refuse it: ${code}${where && ` at ${where}`}.\n`);
    process.exitCode = EXIT_NO;
    return;
  }
  const signed = addSignature(read.identified.envelope, role, key);
  const text = `${JSON.stringify(signed)}\n`;
  if (out === undefined) process.stdout.write(text);
  else await writeText(out, text);
  const missing = SIDES.find((side) => !signed.signatures.some((signature) => signature.role === side));
  if (missing !== undefined) process.stderr.write(`The ${missing}'s signature is still missing.\n`);
}

/** The file's mode says nothing on Windows. */
async function warnOfReaders(keyFile: string): Promise<void> {
  const { mode } = await stat(keyFile);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  process.stderr.write(`warning: other users can read or write ${keyFile}: chmod 600 it.\n`);
}
