import type { ReconciliationBooks, Window } from '../ports/reconciliation-books.js';
import type { Alarms } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import type { ReconcileHandler } from './reconcile.handler.js';
import type { ReconciliationReport } from './report.js';

export interface LookBack {
  /** Every run looks at least so far back: a difference is seen by several runs, until it is mended. */
  readonly hours: number;
  /** After an outage a run looks no further back than this. */
  readonly maxHours: number;
  /** How long the results of runs are kept. */
  readonly keepDays: number;
}

const HOUR_MICROS = 3_600_000_000n;

/** Reconciles what has happened since the last run, keeps the result, and raises an alarm where something differs. */
export class ScheduledReconciliationHandler {
  constructor(
    private readonly books: ReconciliationBooks,
    private readonly reconciliation: ReconcileHandler,
    private readonly unitOfWork: UnitOfWork,
    private readonly alarms: Alarms,
    private readonly lookBack: LookBack,
  ) {}

  /** @throws RetryableError when the database is away; TerminalError `reconciliation_aborted` by the signal */
  async handle(signal: AbortSignal): Promise<ReconciliationReport> {
    const report = await this.reconciliation.handle(await this.#window(), signal);
    await this.unitOfWork.run((tx) => tx.reconciliations.record(report, this.lookBack.keepDays));
    if (report.outcome === 'differs') this.#raise(report);
    return report;
  }

  /** Without a gap to the run before, be it long ago; one that could not look at everything does not count. */
  async #window(): Promise<Window> {
    const to = await this.books.now();
    const { hours, maxHours } = this.lookBack;
    const usual = to - BigInt(hours) * HOUR_MICROS;
    const furthest = to - BigInt(maxHours) * HOUR_MICROS;
    const until = (await this.books.lookedUntil()) ?? usual;
    const from = until < usual ? until : usual;
    return { from: from < furthest ? furthest : from, to };
  }

  #raise({ differencesByCode, from, to }: ReconciliationReport): void {
    const counts = Object.entries(differencesByCode);
    this.alarms.raise('reconciliation_differs', 'What was compared differs: v402 reconcile --last says what to do.', {
      differences: counts.reduce((sum, [, count]) => sum + count, 0),
      codes: counts.map(([code, count]) => `${code}=${count}`).join(' '),
      from,
      to,
    });
  }
}
