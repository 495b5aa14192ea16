import type { Command } from 'commander';
import { EXIT_NO } from '../exit.js';
import { wholeNumberOption } from '../options.js';

const DETAILS = `
Starts Kafka and PostgreSQL (or uses those of V402_TEST_KAFKA_BROKERS and V402_TEST_POSTGRES_URL) and the standalone app.
Simulated agents send signed contracts, among them redelivered, tampered, expired, wrongly signed and contradicting ones.
What has come of them is then read from the topics, the order book and the database, and compared with what was sent.
Everything is stopped and removed at the end, on Ctrl-C too, unless --keep is given.

Exit status: 0 all is exactly as it must be, 1 something is not, 2 it could not be run, 130 interrupted.`;

interface DemoFlags {
  readonly contracts: number;
  readonly seed: number;
  readonly keep?: true;
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .summary('watch signed contracts become orders, payments and deliveries')
    .description('Sends signed contracts through a real Kafka and a real PostgreSQL, and checks what has come of them.')
    .option('--contracts <n>', 'how many to send', wholeNumberOption(1), 200)
    .option(
      '--seed <n>',
      'chooses the contracts and their faults; the same seed chooses the same',
      wholeNumberOption(0),
      402,
    )
    .option('--keep', 'leave everything running, to look at')
    .addHelpText('after', DETAILS)
    .action(demo);
}

async function demo({
  contracts,
  seed,
  keep = false,
}: Omit<DemoFlags, 'keep'> & { readonly keep?: boolean }): Promise<void> {
  // What the demonstration needs takes a while to load, which the other commands are spared.
  const { runDemo } = await import('../demo/run-demo.js');
  const { DemoView } = await import('../demo/demo-view.js');
  const { interruptible } = await import('../demo/interruptible.js');
  const view = new DemoView(process.stdout);
  const isRight = await interruptible((signal) => runDemo({ contracts, seed, keep }, view, signal));
  if (isRight === false) process.exitCode = EXIT_NO;
}
