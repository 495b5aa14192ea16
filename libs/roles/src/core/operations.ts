import { setTimeout as sleep } from 'node:timers/promises';
import type { StandingFigures, UnitOfWork } from '@v402/application';
import type { RoleConfig } from '@v402/config';
import { Health, Metrics, OperatorServer, type Logger } from '@v402/observability';

type OperationsConfig = Pick<
  RoleConfig<'relay'>,
  'V402_HTTP_HOST' | 'V402_HTTP_PORT' | 'V402_HTTP_TOKEN' | 'V402_UNREADY_AFTER_MS'
>;

/** What operators see of a process. It is there before the roles are, and until they have ended. */
export class Operations {
  readonly health = new Health();
  readonly metrics = new Metrics();
  #server: OperatorServer | undefined;

  private constructor(readonly unreadyAfterMs: number) {}

  /** @throws TerminalError `http_port_in_use`, `http_listen_failed` */
  static async open(config: OperationsConfig, log: Logger): Promise<Operations> {
    const operations = new Operations(config.V402_UNREADY_AFTER_MS);
    const { V402_HTTP_HOST: host, V402_HTTP_PORT: port, V402_HTTP_TOKEN: token } = config;
    if (port === undefined) return operations;
    const { health, metrics } = operations;
    const server = await OperatorServer.listen({ host, port, token }, health, metrics);
    operations.#server = server;
    log.info(
      { http: server.url },
      token === undefined
        ? 'Health and metrics are served to this machine.'
        : 'Health is served to everybody; metrics and details to those with the bearer token.',
    );
    metrics.onCollect(() => {
      for (const { check, ready } of health.report().checks) metrics.set('v402_ready', { check }, ready ? 1 : 0);
    });
    return operations;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}

/** However often somebody asks, the database is asked no more often than this. */
const FIGURES_LAST_MS = 5_000;
/** A database that is away must not keep the other metrics back. */
const FIGURES_WITHIN_MS = 3_000;

/** Adds what waits in the database to the metrics, read when they are asked for. */
export function collectFigures(metrics: Metrics, unitOfWork: UnitOfWork): void {
  let reading: Promise<StandingFigures | undefined> | undefined;
  let readAtMs = -Infinity;
  metrics.onCollect(async () => {
    if (reading === undefined || performance.now() - readAtMs > FIGURES_LAST_MS) {
      readAtMs = performance.now();
      reading = unitOfWork.run((tx) => tx.backlog.figures()).catch(() => undefined);
    }
    const late = sleep(FIGURES_WITHIN_MS, undefined, { ref: false });
    const given = await Promise.race([reading, late]);
    metrics.set('v402_database_figures_up', {}, given === undefined ? 0 : 1);
    tellFigures(metrics, given);
  });
}

function tellFigures(metrics: Metrics, figures: StandingFigures | undefined): void {
  metrics.forget(
    'v402_work_due_rows',
    'v402_work_oldest_due_seconds',
    'v402_outbox_rows',
    'v402_outbox_oldest_seconds',
  );
  metrics.forget('v402_streams_parked', 'v402_relay_shards_unowned', 'v402_quarantine_open', 'v402_holds_open');
  metrics.forget('v402_orders_unknown_rows', 'v402_orders_unknown_oldest_seconds', 'v402_obligations_blocked');
  metrics.forget('v402_reconciliation_differences', 'v402_reconciliation_agreed_age_seconds');
  if (figures === undefined) return;
  for (const kind of ['order', 'payment_leg', 'delivery'] as const) {
    metrics.set('v402_work_due_rows', { kind }, figures.work[kind].due);
    metrics.set('v402_work_oldest_due_seconds', { kind }, figures.work[kind].oldestMs / 1_000);
  }
  metrics.set('v402_outbox_rows', {}, figures.events.waiting);
  metrics.set('v402_outbox_oldest_seconds', {}, figures.events.oldestMs / 1_000);
  metrics.set('v402_streams_parked', {}, figures.parkedStreams);
  metrics.set('v402_relay_shards_unowned', {}, figures.unownedShards);
  metrics.set('v402_orders_unknown_rows', {}, figures.unknownOrders.open);
  metrics.set('v402_orders_unknown_oldest_seconds', {}, figures.unknownOrders.oldestMs / 1_000);
  for (const { kind, code, open } of figures.blocked) metrics.set('v402_obligations_blocked', { kind, code }, open);
  for (const [reason, { open }] of figures.quarantine) metrics.set('v402_quarantine_open', { reason }, open);
  for (const [reason, open] of figures.holds) metrics.set('v402_holds_open', { reason }, open);
  const { differences, agreedAgeMs } = figures.reconciliation;
  for (const [code, count] of differences) metrics.set('v402_reconciliation_differences', { code }, count);
  if (agreedAgeMs !== undefined) metrics.set('v402_reconciliation_agreed_age_seconds', {}, agreedAgeMs / 1_000);
}
