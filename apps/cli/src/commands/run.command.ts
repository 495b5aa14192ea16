import { ROLES } from '@v402/config';
import { Argument, type Command } from 'commander';

const DETAILS = `
Reads the V402_* variables that the roles need. SIGTERM or SIGINT ends it, when what is under way is finished. A database
or broker that is away is waited for.

Exit status: 0 ended by a signal; 75 ended by a signal with work under way, which others take over: it took longer than
V402_DRAIN_MS, or there was a second signal; 78 the configuration cannot work.`;

export function addRun(program: Command): void {
  program
    .command('run')
    .summary('run roles in the foreground')
    .description('Runs roles in the foreground, in one process.')
    .addArgument(new Argument('[roles...]', 'which roles').choices(ROLES).default(ROLES, 'all of them'))
    .addHelpText('after', DETAILS)
    .action(run);
}

async function run(names: readonly string[]): Promise<void> {
  await import('reflect-metadata');
  const { runRoles } = await import('@v402/roles');
  await runRoles(ROLES.filter((role) => names.includes(role)));
}
