import type { ReconciliationReport, ReconciliationStore } from '@v402/application';
import type { Session } from '../session.js';

const RECORD = `
  INSERT INTO v402.reconciliation (window_from, window_to, outcome, differences, by_code, report, started_at, finished_at)
  VALUES ($1::timestamptz, $2::timestamptz, $3, $4, $5, $6, $7::timestamptz, $8::timestamptz)`;

const DROP_OLD = `
  DELETE FROM v402.reconciliation WHERE finished_at < clock_timestamp() - $1 * interval '1 day'`;

export class PgReconciliationStore implements ReconciliationStore {
  constructor(private readonly session: Session) {}

  async record(report: ReconciliationReport, keepDays: number): Promise<void> {
    const { from, to, outcome, differencesByCode, startedAt, finishedAt } = report;
    const differences = Object.values(differencesByCode).reduce((sum, count) => sum + count, 0);
    const byCode = JSON.stringify(differencesByCode);
    const values = [from, to, outcome, differences, byCode, JSON.stringify(report), startedAt, finishedAt];
    await this.session.write(RECORD, values);
    await this.session.write(DROP_OLD, [keepDays]);
  }
}
