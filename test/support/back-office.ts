import { randomUUID } from 'node:crypto';
import {
  NoFaults,
  PlaceOrdersHandler,
  ReleaseDueHandler,
  SweepHandler,
  type Alarms,
  type EventNaming,
  type FaultPoint,
  type OrderSystem,
  type OrderTiming,
  type PaymentAccount,
  type PaymentAccounts,
  type ReleasePolicy,
  type SweepPolicy,
  type UnitOfWork,
  type Wake,
} from '@v402/application';
import type { ContractDraft } from '@v402/contract';
import { RAILS, type Micros, type MonotonicClock, type OrderPlacementState, type Rail, type Side } from '@v402/domain';
import { DEFAULT_TOPICS } from '@v402/events';
import { ScriptedOrderSystem } from '@v402/testing';
import type { QueryResultRow } from 'pg';
import type { TestDatabase } from './database.js';
import { agreed, IntakeScene, type AgreedTrade, type SceneParts } from './intake-scene.js';
import { RecordedAlarms, RecordedWake } from './seams.js';
import { BUYER, SELLER } from './trade.js';

/** Of the Kafka record that brings every contract. */
export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Long enough that nothing ends by itself within a test: due times and leases are moved, never waited for. */
export const TIMING: OrderTiming = {
  leaseMs: 60_000,
  leaseMarginMs: 10_000,
  callTimeoutMs: 30_000,
  lookUpMarginMs: 70,
  holdRecheckMs: 60_000,
  backoff: { firstMs: 60_000, maxMs: 600_000 },
  maxAttempts: 100,
  maxLookUps: 3,
  circuit: { failures: 1_000, open: { firstMs: 60_000, maxMs: 60_000 } },
};
export const SERVER_TIMEOUT_MS = 400;
export const DELIVERY_LEAD_DAYS = 14;
export const RECHECK_MS = 60_000;

const SWEEP: SweepPolicy = {
  batchSize: 2,
  longestCallMs: 60_000,
  deliveryLead: { days: DELIVERY_LEAD_DAYS },
  overdueMs: 300_000,
  attentionMs: 86_400_000,
};

/** The terms of a payment that is asked for as soon as a contract is accepted. */
export const CARD_AT_ONCE = { payment: [{ rail: 'card', trigger: 'agreed' }] } as const;

const NAMING: EventNaming = { source: 'urn:v402:handler:test', topics: DEFAULT_TOPICS };
const NO_LEAD = Object.fromEntries(RAILS.map((rail) => [rail, 0])) as Record<Rail, number>;
const PARTIES: Readonly<Record<Side, string>> = { buyer: BUYER, seller: SELLER };
const BOTH: readonly Side[] = ['buyer', 'seller'];

/** Creditor accounts that a test approves as it goes. */
export class ApprovedAccounts implements PaymentAccounts {
  readonly #accounts = new Map<string, PaymentAccount>();

  approve(party: string, rail: Rail, currency: string, account: PaymentAccount): void {
    this.#accounts.set(`${party} ${rail} ${currency}`, account);
  }

  approved(party: string, rail: Rail, currency: string): PaymentAccount | undefined {
    return this.#accounts.get(`${party} ${rail} ${currency}`);
  }
}

/** What may be other than usual about a process that works. */
interface ProcessParts {
  readonly owner?: string;
  readonly unitOfWork?: UnitOfWork;
  readonly faults?: FaultPoint;
  readonly alarms?: Alarms;
}

interface SweepParts extends Pick<ProcessParts, 'unitOfWork' | 'alarms'> {
  readonly wake: Wake;
}

export interface OrdersParts extends ProcessParts {
  readonly timing?: Partial<OrderTiming>;
  readonly clock?: MonotonicClock;
}

export type WorkflowsParts = ProcessParts & Partial<Pick<ReleasePolicy, 'accounts' | 'leadDays' | 'batchSize'>>;

/** A CloudEvent as it will be published. */
export interface PublishedEvent {
  readonly id: string;
  readonly type: string;
  readonly sequence?: string;
  readonly time: string;
  readonly traceparent?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface WorkRow {
  readonly kind: string;
  readonly side: Side;
  readonly subject: string;
  readonly dueAt: Micros;
  readonly leaseUntil: Micros | null;
  readonly attempts: number;
}

/** An order as the settlement knows it. */
interface Placement {
  readonly side: Side;
  readonly state: OrderPlacementState;
  readonly attempt: number;
  readonly unknowns: number;
  readonly code: string | null;
  readonly orderNumber: string | null;
  readonly lookUpNotBefore: Micros | null;
}

interface LegState {
  readonly side: Side;
  readonly leg: string;
  readonly state: string;
  readonly dueDate: string | null;
  readonly code: string | null;
}

type Subject = Pick<AgreedTrade, 'contractId'>;

const key = ({ contractId }: Subject): Buffer => Buffer.from(contractId, 'hex');
/** SQL: a `timestamptz` as text of microseconds. */
export const microsOf = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;

/** Settlements that the real intake has made, with the handlers under test over the same database. */
export class BackOffice {
  readonly unitOfWork: UnitOfWork;
  readonly database: TestDatabase;
  readonly #system = new ScriptedOrderSystem();

  private constructor(readonly scene: IntakeScene) {
    this.unitOfWork = scene.unitOfWork;
    this.database = scene.database;
  }

  static async open(parts: SceneParts = {}): Promise<BackOffice> {
    return new BackOffice(await IntakeScene.open(parts));
  }

  async close(): Promise<void> {
    await this.scene.close();
  }

  /** Takes contracts in, each of a negotiation of its own unless told otherwise, and serves the given sides of them. */
  async acceptAll(drafts: readonly ContractDraft[], sides = BOTH): Promise<AgreedTrade[]> {
    const trades = drafts.map((draft) => agreed({ negotiationId: randomUUID(), ...draft }));
    const intake = this.scene.handlerWith({ policy: { servedParties: sides.map((side) => PARTIES[side]) } });
    const messages = trades.map(({ contract, envelope }) =>
      this.scene.message(envelope, {
        arrival: { at: contract.agreedAt, source: 'broker' },
        traceparent: TRACEPARENT,
      }),
    );
    expect(await intake.handle(messages)).toMatchObject({ accepted: drafts.length });
    return trades;
  }

  async accept(draft: ContractDraft = {}, sides = BOTH): Promise<AgreedTrade> {
    return (await this.acceptAll([draft], sides))[0]!;
  }

  /** Takes one contract in of which only the seller is served. */
  forSeller(): Promise<AgreedTrade> {
    return this.accept({}, ['seller']);
  }

  /** Places the orders that are due, for tests that are about what follows from them. */
  placeOrders(): Promise<number> {
    return this.orders(this.#system).handle();
  }

  orders(system: OrderSystem, parts: OrdersParts = {}): PlaceOrdersHandler {
    const context = {
      naming: NAMING,
      ids: this.scene.ids,
      timing: { ...TIMING, ...parts.timing },
      deliveryLead: { days: DELIVERY_LEAD_DAYS },
      orderSystem: { name: system.name, serverTimeoutMs: SERVER_TIMEOUT_MS },
    };
    const { unitOfWork, owner, wake, alarms, faults } = this.#process(parts);
    const { clock = { nowMs: () => performance.now() } } = parts;
    return new PlaceOrdersHandler(unitOfWork, system, context, clock, owner, wake, alarms, faults);
  }

  workflows({
    accounts = new ApprovedAccounts(),
    leadDays = NO_LEAD,
    batchSize = 100,
    ...parts
  }: WorkflowsParts = {}): ReleaseDueHandler {
    const policy = { naming: NAMING, accounts, leadDays, batchSize, leaseMs: TIMING.leaseMs, recheckMs: RECHECK_MS };
    const { unitOfWork, owner, wake, alarms, faults } = this.#process(parts);
    return new ReleaseDueHandler(unitOfWork, policy, owner, wake, alarms, faults);
  }

  sweeper({ wake, ...parts }: SweepParts): SweepHandler {
    const { unitOfWork, alarms } = this.#process(parts);
    return new SweepHandler(unitOfWork, SWEEP, wake, alarms);
  }

  #process(parts: ProcessParts): Required<ProcessParts> & { wake: RecordedWake } {
    return {
      unitOfWork: this.unitOfWork,
      owner: 'test',
      faults: new NoFaults(),
      alarms: new RecordedAlarms(),
      wake: new RecordedWake(),
      ...parts,
    };
  }

  sql<Row extends QueryResultRow>(text: string, ...values: readonly unknown[]): Promise<Row[]> {
    return this.scene.sql<Row>(text, values);
  }

  async now(): Promise<Micros> {
    return BigInt((await this.sql<{ now: string }>(`SELECT ${microsOf('clock_timestamp()')} AS now`))[0]!.now);
  }

  /** Nothing that an earlier test left is due any more. */
  async dropWork(): Promise<void> {
    await this.sql('DELETE FROM v402.work');
  }

  /** What waits for a later time is due now. */
  async makeDue(): Promise<void> {
    await this.sql('UPDATE v402.work SET due_at = clock_timestamp() WHERE due_at > clock_timestamp()');
  }

  /** Every lease has ended, as if the processes that held them were long gone. */
  async endLeases(): Promise<void> {
    await this.sql(
      "UPDATE v402.work SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL",
    );
  }

  async work(subject: Subject, kind: string | null = null): Promise<WorkRow[]> {
    const rows = await this.sql<Omit<WorkRow, 'dueAt' | 'leaseUntil'> & { dueAt: string; leaseUntil: string | null }>(
      `SELECT kind, side, subject_id AS subject, attempts, ${microsOf('due_at')} AS "dueAt",
         ${microsOf('lease_until')} AS "leaseUntil"
       FROM v402.work WHERE contract_id = $1 AND kind = coalesce($2, kind) ORDER BY kind, side, subject_id`,
      key(subject),
      kind,
    );
    return rows.map(({ dueAt, leaseUntil, ...row }) => ({
      ...row,
      dueAt: BigInt(dueAt),
      leaseUntil: leaseUntil === null ? null : BigInt(leaseUntil),
    }));
  }

  async placements(subject: Subject): Promise<Placement[]> {
    const rows = await this.sql<Omit<Placement, 'lookUpNotBefore'> & { at: string | null }>(
      `SELECT side, state, attempt, unknowns, code, order_number AS "orderNumber", ${microsOf('look_up_not_before')} AS at
       FROM v402.order_placement WHERE contract_id = $1 ORDER BY side`,
      key(subject),
    );
    return rows.map(({ at, ...row }) => ({ ...row, lookUpNotBefore: at === null ? null : BigInt(at) }));
  }

  /** The only placement of a settlement. */
  async placement(subject: Subject): Promise<Placement> {
    const rows = await this.placements(subject);
    expect(rows).toHaveLength(1);
    return rows[0]!;
  }

  /** The contract's orders in the order book itself. */
  async booked({ shortRef }: AgreedTrade): Promise<{ kind: string; orderNumber: string; total: string }[]> {
    return this.sql(
      `SELECT kind, order_number AS "orderNumber", trim_scale(total)::text AS total FROM orderbook.order_head
       WHERE reference = $1 ORDER BY kind`,
      shortRef,
    );
  }

  async legs(subject: Subject): Promise<LegState[]> {
    return this.sql(
      `SELECT side, leg_id AS leg, state, to_char(due_date, 'YYYY-MM-DD') AS "dueDate", code
       FROM v402.payment_leg WHERE contract_id = $1 ORDER BY side, number`,
      key(subject),
    );
  }

  async settlementState(subject: Subject): Promise<string> {
    const sql = 'SELECT state FROM v402.settlement WHERE contract_id = $1';
    return (await this.sql<{ state: string }>(sql, key(subject)))[0]!.state;
  }

  /** The settlement's events whose type contains the given text, in the order in which they occurred. */
  async events(subject: Subject, type = ''): Promise<PublishedEvent[]> {
    const rows = await this.sql<{ event: PublishedEvent }>(
      `SELECT convert_from(bytes, 'UTF8')::jsonb AS event FROM v402.event
       WHERE stream = $1 AND strpos(type, $2) > 0 ORDER BY occurred_at`,
      key(subject),
      type,
    );
    return rows.map(({ event }) => event);
  }

  /** Types of the settlement's events that begin with the given text, without what all types begin with. */
  async eventTypes(subject: Subject, beginning: string): Promise<string[]> {
    const events = await this.events(subject, `org.v402.${beginning}`);
    return events.map(({ type }) => type.slice('org.v402.'.length));
  }

  async holds(subject: Subject): Promise<{ id: string; reason: string; evidence: unknown; open: boolean }[]> {
    return this.sql(
      'SELECT id, reason, evidence, released_at IS NULL AS open FROM v402.hold WHERE contract_id = $1',
      key(subject),
    );
  }

  /** Holds the deal of a settlement. */
  async hold(subject: Subject): Promise<void> {
    await this.sql(
      `INSERT INTO v402.hold (id, deal_key, contract_id, reason, evidence, placed_by)
       SELECT gen_random_uuid(), deal_key, contract_id, 'equivocation', '{}', 'test' FROM v402.settlement
       WHERE contract_id = $1`,
      key(subject),
    );
  }

  async releaseHolds(subject: Subject): Promise<void> {
    await this.sql(
      "UPDATE v402.hold SET released_by = 'operator', released_at = clock_timestamp() WHERE contract_id = $1",
      key(subject),
    );
  }

  /** Adds work that was done before, as a restored backup would. */
  async redeliver(subject: Subject, kind: string, side: Side, subjectId: string): Promise<void> {
    await this.sql(
      'INSERT INTO v402.work (kind, contract_id, side, subject_id, due_at) VALUES ($2, $1, $3, $4, clock_timestamp())',
      key(subject),
      kind,
      side,
      subjectId,
    );
  }
}
