import { startLocalParts } from '@v402/local-parts';
import { TrustedSignatureVerifier } from '@v402/signatures';
import type { Command } from 'commander';
import { EXIT_NO } from '../exit.js';

const DETAILS = `
DIR holds manifest.json, trust-registry.json, registries/ and cases/accept, cases/reject. The registries come first, then
the cases: each through the handler and the repositories of production, in an emptied database, at the time that
the case says. A PostgreSQL is started for it, unless V402_TEST_POSTGRES_URL names one (as a role that may create
databases); what is made there is dropped at the end.

Prints one line per vector, and at the end how many passed and failed; fewer than the manifest counts is a failure.

Exit status: 0 all passed, 1 some failed, 2 they could not be run.`;

export function addConformance(program: Command): void {
  program
    .command('conformance')
    .summary('check this implementation against a folder of test vectors')
    .description('Checks this implementation against a folder of test vectors of v402-settlement/1.')
    .argument('<dir>', 'the folder')
    .addHelpText('after', DETAILS)
    .action(conformance);
}

async function conformance(dir: string): Promise<void> {
  // The database and what belongs to it take a while to load, which the commands that need none are spared.
  const { IntakeUnderTest } = await import('../conformance/intake-under-test.js');
  const { readVectors } = await import('../conformance/vectors.js');
  const { runChecks } = await import('../conformance/run-checks.js');
  const vectors = await readVectors(dir);
  const parts = await startLocalParts({
    kafka: false,
    fsync: false,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  try {
    const verifier = new TrustedSignatureVerifier(vectors.trustRegistry);
    const intake = await IntakeUnderTest.start(parts.postgres.adminUrl, verifier);
    try {
      const { failed } = await runChecks(vectors, intake, (line) => process.stdout.write(`${line}\n`));
      if (failed > 0) process.exitCode = EXIT_NO;
    } finally {
      await intake.close();
    }
  } finally {
    await parts.stop();
  }
}
