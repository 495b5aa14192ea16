import type { Command } from 'commander';
import { withActionOptions, type ActionOptions } from '../operations/action-options.js';
import { answer, RESOLVED } from '../operations/answer.js';
import { withOperations } from '../operations/with-operations.js';

const DETAILS = `
An order that was refused is tried from the beginning; one that may exist is looked up first and never created blindly; a
message that could not be decided is decided again on its stored bytes; a parked stream is sent again. What only a
decision helps is refused as decision_needed: v402 quarantine.

Exit status: 0 done, or waiting for a second person; 1 refused, with a code; 2 wrong usage or the database is away.`;

export function addRedrive(program: Command): void {
  withActionOptions(program.command('redrive'))
    .summary('do the one safe next step for what is stuck')
    .description('Does the one safe next step for what is stuck.')
    .argument('<id>', 'of v402 quarantine list; or a contractId or shortRef')
    .addHelpText('after', DETAILS)
    .action((id: string, { actor, reason, ...options }: ActionOptions) =>
      answer(options, () => withOperations((handler) => handler.redrive(id, { actor, reason })), RESOLVED),
    );
}
