import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAudit } from './commands/audit.command.js';
import { addConformance } from './commands/conformance.command.js';
import { addDemo } from './commands/demo.command.js';
import { addEvidence } from './commands/evidence.command.js';
import { addMigrate } from './commands/migrate.command.js';
import { addOverview } from './commands/overview.command.js';
import { addQuarantine } from './commands/quarantine.command.js';
import { addRedrive } from './commands/redrive.command.js';
import { addReconcile } from './commands/reconcile.command.js';
import { addRun } from './commands/run.command.js';
import { addShow } from './commands/show.command.js';
import { addSign } from './commands/sign.command.js';
import { addTopics } from './commands/topics.command.js';
import { addVerify } from './commands/verify.command.js';
import { EXIT_STATUSES, exitStatusOf, reportOf } from './exit.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

// A reader that has seen enough, such as `head`, is no fault: the command goes on to its end and cleans up.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const program = new Command('v402')
  .description('Signed settlement contracts: verify and sign them, and run the system that settles them.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(v402 help COMMAND says more.)')
  .addHelpText('after', EXIT_STATUSES);

// One line per command.
addVerify(program);
addSign(program);
addConformance(program);
addShow(program);
addOverview(program);
addEvidence(program);
addQuarantine(program);
addRedrive(program);
addAudit(program);
addReconcile(program);
addMigrate(program);
addTopics(program);
addRun(program);
addDemo(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(reportOf(error));
  process.exitCode = exitStatusOf(error);
}
