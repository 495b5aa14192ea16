import type {
  AuditStore,
  CaseStore,
  BacklogStore,
  DealStore,
  DeliveryStore,
  EventStore,
  EvidenceStore,
  InputStore,
  JobStore,
  OrderPlacementStore,
  PaymentLegStore,
  ReconciliationStore,
  SettlementStore,
  StuckStore,
  Transaction,
  WorkStore,
} from '@v402/application';
import { type Micros, TerminalError } from '@v402/domain';
import type { Session } from './session.js';
import { PgAuditStore } from './stores/audit.store.js';
import { PgCaseStore } from './stores/case.store.js';
import { PgBacklogStore } from './stores/backlog.store.js';
import { PgDealStore } from './stores/deal.store.js';
import { PgDeliveryStore } from './stores/delivery.store.js';
import { PgEventStore } from './stores/event.store.js';
import { PgEvidenceStore } from './stores/evidence.store.js';
import { PgInputStore } from './stores/input.store.js';
import { PgJobStore } from './stores/job.store.js';
import { PgOrderPlacementStore } from './stores/order-placement.store.js';
import { PgPaymentLegStore } from './stores/payment-leg.store.js';
import { PgReconciliationStore } from './stores/reconciliation.store.js';
import { PgSettlementStore } from './stores/settlement.store.js';
import { PgStuckStore } from './stores/stuck.store.js';
import { PgWorkStore } from './stores/work.store.js';
import { microsOf } from './values.js';

const NOW = `SELECT ${microsOf('clock_timestamp()')} AS now`;

/** All stores on one connection. */
export class PgTransaction implements Transaction {
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
  readonly cases: CaseStore;
  readonly audit: AuditStore;
  readonly backlog: BacklogStore;
  readonly stuck: StuckStore;
  readonly reconciliations: ReconciliationStore;

  constructor(private readonly session: Session) {
    this.deals = new PgDealStore(session);
    this.settlements = new PgSettlementStore(session);
    this.evidence = new PgEvidenceStore(session);
    this.input = new PgInputStore(session);
    this.orders = new PgOrderPlacementStore(session);
    this.legs = new PgPaymentLegStore(session);
    this.deliveries = new PgDeliveryStore(session);
    this.work = new PgWorkStore(session);
    this.events = new PgEventStore(session);
    this.jobs = new PgJobStore(session);
    this.cases = new PgCaseStore(session);
    this.audit = new PgAuditStore(session);
    this.backlog = new PgBacklogStore(session);
    this.stuck = new PgStuckStore(session);
    this.reconciliations = new PgReconciliationStore(session);
  }

  async now(): Promise<Micros> {
    const [row] = await this.session.query<{ now: string }>(NOW);
    if (row === undefined) throw new TerminalError('clock_missing', 'The database did not tell its time.');
    return BigInt(row.now);
  }
}
