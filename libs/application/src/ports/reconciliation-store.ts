import type { ReconciliationReport } from '../reconciliation/report.js';

export interface ReconciliationStore {
  /** Keeps a run's result, and drops those that are older than the given days. */
  record(report: ReconciliationReport, keepDays: number): Promise<void>;
}
