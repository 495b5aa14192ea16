import { instantOfMicros, type Micros } from '@v402/domain';
import type { ReconciliationBooks, Window } from '../ports/reconciliation-books.js';
import type { Alarms } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import { CURABLE } from './difference-codes.js';
import type { ReconcileHandler } from './reconcile.handler.js';
import type { ReconciliationReport } from './report.js';

export interface LookBack {
  /**
   * Every run looks at least so far back: a difference is seen by several runs, until it is mended. What is longer ago and
   * was not looked at is caught up in windows of this length.
   */
  readonly hours: number;
  /** After an outage a run looks no further back than this. */
  readonly maxHours: number;
  /** How long the results of runs are kept. */
  readonly keepDays: number;
  /** How long ago everything may have been proven before an alarm says so. */
  readonly unprovenMs: number;
}

const HOUR_MICROS = 3_600_000_000n;

/** Reconciles what has happened since the last run, keeps the result, and raises an alarm where something differs. */
export class ScheduledReconciliationHandler {
  constructor(
    private readonly books: Pick<ReconciliationBooks, 'now' | 'lookedUntil' | 'provenUntil'>,
    private readonly reconciliation: Pick<ReconcileHandler, 'handle'>,
    private readonly unitOfWork: UnitOfWork,
    private readonly alarms: Alarms,
    private readonly lookBack: LookBack,
  ) {}

  /**
   * Window by window up to now, each kept when it is done: a run that breaks off goes on there. After one that could not be
   * looked at, only the newest still is: the next run begins with it again.
   *
   * @throws RetryableError when the database is away; TerminalError `reconciliation_aborted` by the signal
   */
  async handle(signal: AbortSignal): Promise<void> {
    for (;;) {
      const now = await this.books.now();
      const newest = { from: now - this.#length, to: now };
      const until = (await this.#lookedUntil(now)) ?? newest.from;
      if (until < newest.from && (await this.#lookAt({ from: until, to: until + this.#length }, now, signal))) continue;
      await this.#lookAt(newest, now, signal);
      return;
    }
  }

  get #length(): Micros {
    return BigInt(this.lookBack.hours) * HOUR_MICROS;
  }

  /** Up to here there is no gap; a window that has to be looked at again is one. */
  #lookedUntil(now: Micros): Promise<Micros | undefined> {
    return this.books.lookedUntil([...CURABLE], now - BigInt(this.lookBack.maxHours) * HOUR_MICROS);
  }

  /** @returns whether nothing of it has to be looked at again */
  async #lookAt(window: Window, now: Micros, signal: AbortSignal): Promise<boolean> {
    const report = await this.reconciliation.handle(window, signal);
    await this.unitOfWork.run((tx) => tx.reconciliations.record(report, this.lookBack.keepDays));
    if (report.outcome === 'differs') this.#sayDifferences(report);
    if (report.unproven.length > 0) await this.#sayUnproven(report, now);
    return !report.unproven.some(({ code }) => CURABLE.has(code));
  }

  #sayDifferences({ differencesByCode, from, to }: ReconciliationReport): void {
    const counts = Object.entries(differencesByCode);
    const message = 'What was compared differs: v402 reconcile, --last or with this window, says what to do.';
    this.alarms.raise('reconciliation_differs', message, {
      differences: counts.reduce((sum, [, count]) => sum + count, 0),
      codes: counts.map(([code, count]) => `${code}=${count}`).join(' '),
      from,
      to,
    });
  }

  async #sayUnproven({ unproven, from, to }: ReconciliationReport, now: Micros): Promise<void> {
    const proven = await this.books.provenUntil();
    const looked = await this.#lookedUntil(now);
    // What was proven after a gap does not make up for the gap.
    const provenUntil = looked !== undefined && proven !== undefined && looked < proven ? looked : proven;
    if (provenUntil !== undefined && now - provenUntil <= BigInt(this.lookBack.unprovenMs) * 1_000n) return;
    const message = 'For long something was not looked at: v402 reconcile, --last or with this window, says what.';
    this.alarms.raise('reconciliation_unproven', message, {
      codes: [...new Set(unproven.map(({ code }) => code))].join(' '),
      from,
      to,
      ...(provenUntil !== undefined && { provenUntil: instantOfMicros(provenUntil) }),
    });
  }
}
