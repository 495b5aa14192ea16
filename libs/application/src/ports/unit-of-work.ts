import type { Micros } from '@v402/domain';
import type { AuditStore } from './audit-store.js';
import type { CaseStore } from './case-store.js';
import type { BacklogStore } from './backlog-store.js';
import type { DealStore, SettlementStore } from './settlement-store.js';
import type { EventStore } from './event-store.js';
import type { EvidenceStore } from './evidence-store.js';
import type { InputStore } from './input-store.js';
import type { JobStore } from './job-store.js';
import type { DeliveryStore, OrderPlacementStore, PaymentLegStore } from './progress-store.js';
import type { StuckStore } from './stuck-store.js';
import type { ReconciliationStore } from './reconciliation-store.js';
import type { WorkStore } from './work-store.js';

/** What a use case may do inside one transaction. Global lock order: deal → settlement → work → case → audit trail. */
export interface Transaction {
  /** The database's clock, now and not when the transaction began: read it after the locks are held. */
  now(): Promise<Micros>;
  readonly deals: DealStore;
  readonly settlements: SettlementStore;
  readonly evidence: EvidenceStore;
  readonly input: InputStore;
  readonly orders: OrderPlacementStore;
  readonly legs: PaymentLegStore;
  readonly deliveries: DeliveryStore;
  readonly work: WorkStore;
  readonly events: EventStore;
  readonly jobs: JobStore;
  /** For operators. */
  readonly cases: CaseStore;
  readonly audit: AuditStore;
  readonly backlog: BacklogStore;
  readonly stuck: StuckStore;
  readonly reconciliations: ReconciliationStore;
}

/** One database transaction, READ COMMITTED with explicit locks. */
export abstract class UnitOfWork {
  /**
   * Runs `work` and commits. A serialization failure or a deadlock runs it again, so it must have no effect outside the
   * database.
   *
   * @throws RetryableError `database_unavailable` when the database cannot be reached or goes away
   * @throws TerminalError `data_error` when the database refuses a value (SQLSTATE classes 22, 23 and 54)
   */
  abstract run<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}
