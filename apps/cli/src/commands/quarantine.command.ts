import { CASE_REASONS, listCases, showCase, type CaseReason, type ListedCase, type ShownCase } from '@v402/application';
import { Option, type Command } from 'commander';
import { loginName, withActionOptions, type ActionOptions } from '../operations/action-options.js';
import { answer, RESOLVED, type Looks } from '../operations/answer.js';
import { caseJson, listedCaseJson } from '../operations/case-json.js';
import { casesText, caseText } from '../operations/case-text.js';
import { withOperations, withOperatorDatabase } from '../operations/with-operations.js';

interface ListOptions {
  readonly reason?: CaseReason;
  readonly all?: true;
  readonly json?: true;
}

const DETAILS = `
docs/operations-quarantine.md says for each reason what to look at and what to do. No command takes content: an action
works on the bytes that are stored. Connects as V402_OPERATOR_DATABASE_URL; actions read the V402_* variables of .env.example
besides, and a release of a message or of a second contract those of intake.

Exit status: 0 done, or waiting for a second person; 1 refused, with a code; 2 wrong usage or the database is away.`;

const CASES: Looks<readonly ListedCase[]> = { text: casesText, json: (cases) => cases.map(listedCaseJson) };
const CASE: Looks<ShownCase> = { text: caseText, json: caseJson };

const ID = 'of the list; or a contractId or shortRef that has one open case';

export function addQuarantine(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .summary('look at what waits for a person, and decide it')
    .description('Lists what waits for a person, and carries out what they decide.')
    .addHelpText('after', DETAILS);
  addReading(quarantine);
  withActionOptions(quarantine.command('release'))
    .description('Lets what was held or set aside stand.')
    .argument('<id>', ID)
    .option('--order-changed', 'an amendment: you state that its orders were changed in the order system')
    .action((id: string, { actor, reason, orderChanged, ...options }: ActionOptions & { orderChanged?: true }) => {
      const release = { orderChanged: orderChanged === true };
      return answer(
        options,
        () => withOperations((handler) => handler.release(id, { actor, reason }, release)),
        RESOLVED,
      );
    });
  withActionOptions(quarantine.command('reject'))
    .description('Does not let what was held or set aside stand; what stood before goes on.')
    .argument('<id>', ID)
    .action((id: string, { actor, reason, ...options }: ActionOptions) =>
      answer(options, () => withOperations((handler) => handler.reject(id, { actor, reason })), RESOLVED),
    );
  quarantine
    .command('approve')
    .description('Does what another person has asked for: what goes on is over V402_APPROVAL_OVER.')
    .argument('<id>', 'of the request, or of its case')
    .option('--actor <name>', 'who approves (default: your login name)', loginName())
    .option('--reason <text>', 'why (default: the reason of the request)')
    .option('--json', 'print the answer as JSON')
    .action((id: string, { json, ...approver }: Partial<ActionOptions> & { readonly actor: string }) =>
      answer({ ...(json && { json }) }, () => withOperations((handler) => handler.approve(id, approver)), RESOLVED),
    );
}

function addReading(quarantine: Command): void {
  quarantine
    .command('list')
    .description('Lists what waits for a person, the oldest first.')
    .addOption(new Option('--reason <reason>', 'only these').choices(CASE_REASONS))
    .option('--all', 'what is resolved too')
    .option('--json', 'print it as JSON')
    .action((options: ListOptions) => {
      const { reason, all } = options;
      const filter = { ...(reason && { reason }), ...(all && { all }) };
      return answer(options, () => withOperatorDatabase('v402 quarantine', (db) => listCases(db, filter)), CASES);
    });
  quarantine
    .command('show')
    .description('Shows one case: its documents, signatures and key entries, its hold, and what has been done.')
    .argument('<id>', ID)
    .option('--json', 'print it as JSON, bytes as base64')
    .action((id: string, options: { readonly json?: true }) =>
      answer(options, () => withOperatorDatabase('v402 quarantine', (db) => showCase(db, id)), CASE),
    );
}
