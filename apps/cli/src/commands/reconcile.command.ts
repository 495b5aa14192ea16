import { ReconcileHandler, type ReconciliationReport } from '@v402/application';
import { loadConfig } from '@v402/config';
import { RetryableError, toUnixSeconds, type Instant, type Micros } from '@v402/domain';
import { CommanderError, Option, type Command } from 'commander';
import { EXIT_NO, EXIT_UNPROVEN, reportOf } from '../exit.js';
import { toJson } from '../json.js';
import { instantOption, wholeNumberOption } from '../options.js';
import { withOrderSystem } from '../order-system.js';
import { reportText } from '../reconcile/report-text.js';

interface ReconcileOptions {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly last?: true;
  readonly graceSeconds: number;
  readonly json?: true;
}

const DETAILS = `
Compares, for the contracts that were accepted in the window or have an event in it: acceptances with settlements,
settlements with the orders in the order system, every event with the topics, refusals with their events, and every message
that the contracts topic still holds with its decision. Lists what differs with a code and what to do. Looks only; nothing
is written or put right.

The window goes by the database's time: --from belongs to it, --to does not. A contract belongs to the window in which it
was accepted, and to each in which an event of it occurred. What is younger than the grace may be on its way and is counted
as in flight.

Reads the database of V402_DATABASE_URL, the V402_KAFKA_* variables, V402_TOPIC_PREFIX, V402_ORDER_SYSTEM and what that
needs; with --last the database alone.

Exit status: 0 everything agrees, 1 something differs, 2 wrong usage, 3 nothing differs as far as could be looked, but a
part is away or does not hold that time any more; with --last 1 if there was no run yet.`;

export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .summary('prove that messages, settlements, orders and events agree')
    .description('Proves that accepted messages, settlements, orders and events agree, or lists what does not.')
    .option('--from <instant>', 'the beginning of the window', instantOption)
    .option('--to <instant>', 'its end', instantOption)
    .addOption(new Option('--last', 'show the last scheduled run instead').conflicts(['from', 'to', 'graceSeconds']))
    .option('--grace-seconds <n>', 'what is younger may be on its way', wholeNumberOption(0), 60)
    .option('--json', 'print it as JSON')
    .addHelpText('after', DETAILS)
    .action(reconcile);
}

async function reconcile(options: ReconcileOptions): Promise<void> {
  const report = await reportFor(options);
  if (report === undefined) {
    process.exitCode ??= EXIT_NO;
    return;
  }
  process.stdout.write(options.json === true ? toJson(report) : reportText(report));
  if (report.outcome === 'differs') process.exitCode = EXIT_NO;
  if (report.outcome === 'unproven') process.exitCode = EXIT_UNPROVEN;
}

/** @returns undefined where there is none to show; then standard error says why */
async function reportFor(options: ReconcileOptions): Promise<ReconciliationReport | undefined> {
  const { from, to, last } = options;
  if (last === true) return lastReport();
  if (from === undefined || to === undefined || microsOf(from) >= microsOf(to)) {
    throw new CommanderError(2, 'v402.window', windowMissing());
  }
  try {
    return await compare({ from: microsOf(from), to: microsOf(to) }, options.graceSeconds * 1000);
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    process.stderr.write(reportOf(error));
    process.exitCode = EXIT_UNPROVEN;
    return undefined;
  }
}

function windowMissing(): string {
  const message = 'Give a window, --from before --to, or --last.';
  process.stderr.write(`error: ${message}\n`);
  return message;
}

async function lastReport(): Promise<ReconciliationReport | undefined> {
  const { V402_DATABASE_URL: url } = loadConfig(process.env, ['v402 reconcile --last']);
  const { PgReconciliationBooks } = await import('@v402/persistence');
  const books = new PgReconciliationBooks({ url, applicationName: 'v402 reconcile' });
  try {
    const report = await books.lastReport();
    if (report === undefined) process.stderr.write('No scheduled reconciliation has run yet.\n');
    return report;
  } finally {
    await books.close();
  }
}

async function compare(
  window: { readonly from: Micros; readonly to: Micros },
  graceMs: number,
): Promise<ReconciliationReport> {
  const config = loadConfig(process.env, ['v402 reconcile']);
  const { PgReconciliationBooks } = await import('@v402/persistence');
  const { KafkaTopicLog } = await import('@v402/messaging');
  await import('reflect-metadata');
  const { kafkaConnection, reconcilePolicy } = await import('@v402/roles');
  const books = new PgReconciliationBooks({ url: config.V402_DATABASE_URL, applicationName: 'v402 reconcile' });
  const log = new KafkaTopicLog(kafkaConnection({ ...config, V402_INSTANCE_ID: 'reconcile' }), () => undefined);
  try {
    return await withOrderSystem(config, (system) =>
      new ReconcileHandler(books, log, system, reconcilePolicy(config, graceMs)).handle(window),
    );
  } finally {
    await books.close();
  }
}

/** Digits beyond the microsecond, which the database does not know, are cut off. */
function microsOf(instant: Instant): Micros {
  const fraction = instant.slice(20, -1).slice(0, 6).padEnd(6, '0');
  return BigInt(toUnixSeconds(instant)) * 1_000_000n + BigInt(fraction);
}
