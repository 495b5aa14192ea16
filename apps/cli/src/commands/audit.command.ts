import { verifyAuditTrail, type AuditEntry, type AuditVerdict } from '@v402/application';
import { instantOfMicros } from '@v402/domain';
import { InvalidArgumentError, type Command } from 'commander';
import { EXIT_NO } from '../exit.js';
import { answer } from '../operations/answer.js';
import { entryJson } from '../operations/case-json.js';
import { withOperatorDatabase } from '../operations/with-operations.js';
import { wholeNumberOption } from '../options.js';
import { table } from '../show/table.js';

interface ListOptions {
  readonly after: number;
  readonly limit: number;
  readonly json?: true;
}

interface VerifyOptions {
  readonly expectHead?: string;
  readonly json?: true;
}

const DETAILS = `
Every action of an operator is an entry; each entry holds the digest of the one before. Connects as
V402_OPERATOR_DATABASE_URL.

Exit status: 0 in order; 1 the chain is broken, or the expected digest is not in it; 2 wrong usage or the database is away.`;

export function addAudit(program: Command): void {
  const audit = program
    .command('audit')
    .summary('list and verify what operators did')
    .description('Lists and verifies what operators did.')
    .addHelpText('after', DETAILS);
  audit
    .command('list')
    .description('Lists the entries, the oldest first.')
    .option('--after <sequence>', 'only entries after this one', wholeNumberOption(0), 0)
    .option('--limit <n>', 'at most so many', wholeNumberOption(1), 100)
    .option('--json', 'print them as JSON')
    .action((options: ListOptions) => {
      const { after, limit } = options;
      const read = () =>
        withOperatorDatabase('v402 audit', (db) => db.run((tx) => tx.audit.after(BigInt(after), limit)));
      return answer(options, read, { text: entriesText, json: (entries) => entries.map(entryJson) });
    });
  audit
    .command('verify')
    .description(
      'Recomputes the whole chain, and prints its head: note it elsewhere, and give it to --expect-head next time. Without it, entries that were cut off at the end go unseen.',
    )
    .option('--expect-head <digest>', 'a digest that was noted earlier: it must still be in the chain', digestOption)
    .option('--json', 'print the verdict as JSON')
    .action(verify);
}

async function verify(options: VerifyOptions): Promise<void> {
  const check = () => withOperatorDatabase('v402 audit', (db) => verifyAuditTrail(db, options.expectHead));
  await answer(
    options,
    async () => {
      const verdict = await check();
      if (verdict.broken !== undefined || verdict.hasExpectedHead === false) process.exitCode = EXIT_NO;
      return verdict;
    },
    { text: verdictText, json: (verdict) => verdict },
  );
}

function verdictText({ entries, head, broken, hasExpectedHead }: AuditVerdict): string {
  if (broken !== undefined) return `broken at entry ${broken.sequence.toString()}: ${broken.fault}\n`;
  if (hasExpectedHead === false)
    return `expected_head_missing: no entry has the expected digest\n${endText(entries, head)}`;
  return `in order\n${endText(entries, head)}`;
}

const endText = (entries: bigint, head: string): string => `entries  ${entries.toString()}\nhead     ${head}\n`;

function entriesText(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'No entries.\n';
  return table(
    'Audit trail',
    ['entry', 'at', 'actor', 'login', 'action', 'case', 'reason', 'details'],
    entries.map((e) => [
      e.sequence,
      instantOfMicros(e.at),
      e.actor,
      e.login,
      e.action,
      e.subject,
      e.reason,
      Object.entries(e.details)
        .map(([name, text]) => `${name}: ${text}`)
        .join('; '),
    ]),
  ).trimStart();
}

function digestOption(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('A digest has 64 lowercase hex digits.');
  return text;
}
