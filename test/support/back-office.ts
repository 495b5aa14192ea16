import { randomUUID } from 'node:crypto';
import {
  AcceptContractsHandler,
  Alarms,
  FaultPoint,
  Ids,
  NoFaults,
  PlaceOrdersHandler,
  ReleaseDueHandler,
  UnitOfWork,
  Wake,
  type EventNaming,
  type FaultPointName,
  type IntakePolicy,
  type InboundMessage,
  type OrderSystem,
  type OrderTiming,
  type PaymentAccount,
  type PaymentAccounts,
  type ReleasePolicy,
  type Transaction,
} from '@v402/application';
import { identifyContract, type ContractDraft } from '@v402/contract';
import type { MonotonicClock, SettlementContract, Side } from '@v402/domain';
import { PgUnitOfWork } from '@v402/persistence';
import { loadTrustRegistry, TrustedSignatureVerifier } from '@v402/signatures';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from './database.js';
import { BUYER, SELLER, trade, TRUST_REGISTRY } from './trade.js';

export const NAMING: EventNaming = {
  source: 'urn:v402:handler:test',
  topics: { settlement: 'events', payments: 'payments', deliveries: 'deliveries', rejections: 'rejections' },
};

/** Short enough that nothing waits for it, and longer than any call in a test. Milliseconds. */
export const TIMING: OrderTiming = {
  leaseMs: 5_000,
  leaseMarginMs: 1_000,
  callTimeoutMs: 3_000,
  lookUpMarginMs: 70,
  holdRecheckMs: 60_000,
  backoff: { firstMs: 10_000, maxMs: 60_000 },
  maxLookUps: 3,
};
export const SERVER_TIMEOUT_MS = 400;
export const DELIVERY_LEAD_DAYS = 14;

/** Alarms that were raised, as texts of code and side. */
export class RecordedAlarms extends Alarms {
  readonly raised: string[] = [];

  override raise(code: string, _: string, context: Readonly<Record<string, string | number>>): void {
    this.raised.push([code, context['side'], context['leg']].filter((part) => part !== undefined).join(' '));
  }
}

/** Runs the given step whenever the process comes to its fault point; a step that throws is a process that dies there. */
export class ScriptedFaults extends FaultPoint {
  constructor(private readonly steps: Partial<Record<FaultPointName, () => Promise<unknown>>>) {
    super();
  }

  override async reach(point: FaultPointName): Promise<void> {
    await this.steps[point]?.();
  }
}

/** A fault point at which the process dies. */
export const diesAt = (point: FaultPointName): FaultPoint =>
  new ScriptedFaults({ [point]: () => Promise.reject(new Error(`died at ${point}`)) });

/** A unit of work with a guard taken out: `change` gets every transaction and returns what is used in its place. */
export class ChangedUnitOfWork extends UnitOfWork {
  constructor(
    private readonly real: UnitOfWork,
    private readonly change: (tx: Transaction) => Partial<Transaction>,
  ) {
    super();
  }

  override run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.real.run((tx) => {
      const changed = this.change(tx);
      return work(
        new Proxy(tx, {
          get: (target, name) => {
            const part = Reflect.get({ ...changed }, name) ?? Reflect.get(target, name);
            return typeof part === 'function' ? part.bind(target) : part;
          },
        }),
      );
    });
  }
}

/** The store with some of its methods replaced. */
export const replacing = <Store extends object>(store: Store, methods: Partial<Store>): Store =>
  new Proxy(store, {
    get: (target, name) => {
      const part = Reflect.get({ ...methods }, name) ?? Reflect.get(target, name);
      return typeof part === 'function' ? part.bind(target) : part;
    },
  });

export const randomIds: Ids = new (class extends Ids {
  override next(): string {
    return randomUUID();
  }
})();

const noWake: Wake = new (class extends Wake {
  override hint(): void {
    return;
  }
})();

export interface Accepted {
  readonly contractId: string;
  readonly shortRef: string;
  readonly contract: SettlementContract;
}

/** An event as it will be published. */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly sequence?: string;
  readonly time: string;
  readonly traceparent?: string;
  readonly data: Record<string, unknown>;
}

export interface PlaceOptions {
  readonly owner?: string;
  readonly unitOfWork?: UnitOfWork;
  readonly timing?: Partial<OrderTiming>;
  readonly clock?: MonotonicClock;
  readonly faults?: FaultPoint;
  readonly alarms?: Alarms;
}

export interface ReleaseOptions extends Partial<ReleasePolicy> {
  readonly owner?: string;
  readonly unitOfWork?: UnitOfWork;
  readonly faults?: FaultPoint;
  readonly alarms?: Alarms;
}

/** Creditor accounts that a test approves as it goes. */
export class ApprovedAccounts implements PaymentAccounts {
  readonly accounts = new Map<string, PaymentAccount>();

  approved(partyId: string, rail: string, currency: string): PaymentAccount | undefined {
    return this.accounts.get(`${partyId} ${rail} ${currency}`);
  }
}

const PARTIES: Readonly<Record<Side, string>> = { buyer: BUYER, seller: SELLER };

/** A settlement database of one test file's own, filled by the real intake, with the handlers under test over it. */
export class BackOffice {
  #offset = 0n;

  private constructor(
    readonly database: TestDatabase,
    readonly unitOfWork: PgUnitOfWork,
    readonly admin: pg.Pool,
  ) {}

  static async open(): Promise<BackOffice> {
    const database = await createTestDatabase();
    const admin = new pg.Pool({ connectionString: database.adminUrl, max: 3 });
    admin.on('error', () => undefined);
    return new BackOffice(database, new PgUnitOfWork({ url: database.appUrl, applicationName: 'under test' }), admin);
  }

  async close(): Promise<void> {
    await Promise.all([this.unitOfWork.close(), this.admin.end()]);
    await this.database.drop();
  }

  /** Nothing that an earlier test left is due any more. */
  async dropWork(): Promise<void> {
    await this.admin.query('DELETE FROM v402.work');
  }

  /** Takes contracts in, as they come from Kafka: by default for both sides, each of a negotiation of its own. */
  async acceptAll(drafts: readonly ContractDraft[], sides: readonly Side[] = ['buyer', 'seller']): Promise<Accepted[]> {
    const trades = drafts.map((draft) => trade({ negotiationId: randomUUID(), ...draft }));
    const messages = trades.map(({ contract, envelope }): InboundMessage => ({
      coordinates: { topic: 'contracts', partition: 0, offset: this.#offset++ },
      value: envelope,
      arrival: { at: contract.agreedAt, source: 'broker' },
      traceparent: TRACEPARENT,
    }));
    const { accepted } = await this.#intake(sides).handle(messages);
    if (accepted !== drafts.length) throw new Error(`${accepted} of ${drafts.length} contracts were accepted.`);
    return trades.map(({ contract }) => ({ ...identifyContract(contract), contract }));
  }

  async accept(draft: ContractDraft = {}, sides?: readonly Side[]): Promise<Accepted> {
    const [accepted] = await this.acceptAll([draft], sides);
    return accepted!;
  }

  #intake(sides: readonly Side[]): AcceptContractsHandler {
    const verifier = new TrustedSignatureVerifier(loadTrustRegistry(readFileSync(TRUST_REGISTRY)), 0);
    const policy: IntakePolicy = {
      handlerId: null,
      servedParties: sides.map((side) => PARTIES[side]),
      requireTranscript: false,
      conflict: 'hold',
      codeVersion: 'test',
    };
    const alarms = new RecordedAlarms();
    return new AcceptContractsHandler(
      this.unitOfWork,
      verifier,
      policy,
      NAMING,
      randomIds,
      noWake,
      alarms,
      new NoFaults(),
    );
  }

  orders(system: OrderSystem, options: PlaceOptions = {}): PlaceOrdersHandler {
    const { unitOfWork = this.unitOfWork, owner = 'test', faults = new NoFaults() } = options;
    const { clock = { nowMs: () => performance.now() }, alarms = new RecordedAlarms() } = options;
    const context = {
      naming: NAMING,
      ids: randomIds,
      timing: { ...TIMING, ...options.timing },
      deliveryLead: { days: DELIVERY_LEAD_DAYS },
      orderSystem: { name: system.name, serverTimeoutMs: SERVER_TIMEOUT_MS },
    };
    return new PlaceOrdersHandler(unitOfWork, system, context, clock, owner, noWake, alarms, faults);
  }

  releases(options: ReleaseOptions = {}): ReleaseDueHandler {
    const {
      unitOfWork = this.unitOfWork,
      owner = 'test',
      faults = new NoFaults(),
      alarms = new RecordedAlarms(),
    } = options;
    const policy: ReleasePolicy = {
      naming: NAMING,
      accounts: options.accounts ?? new ApprovedAccounts(),
      leadDays: options.leadDays ?? { card: 0, sepa: 0, ach: 0, x402: 0, invoice: 0 },
      batchSize: options.batchSize ?? 100,
      leaseMs: options.leaseMs ?? 5_000,
      recheckMs: options.recheckMs ?? 60_000,
    };
    return new ReleaseDueHandler(unitOfWork, policy, owner, noWake, alarms, faults);
  }

  async sql<Row extends pg.QueryResultRow>(text: string, ...values: readonly unknown[]): Promise<Row[]> {
    return (await this.admin.query<Row>(text, [...values])).rows;
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

  async settlementState({ contractId }: Accepted): Promise<string> {
    const [row] = await this.sql<{ state: string }>(
      'SELECT state FROM v402.settlement WHERE contract_id = $1',
      Buffer.from(contractId, 'hex'),
    );
    return row!.state;
  }

  /** The settlement's events, as they came to be, of one type or of all. */
  async events({ contractId }: Pick<Accepted, 'contractId'>, type = ''): Promise<Envelope[]> {
    const rows = await this.sql<{ event: Envelope }>(
      `SELECT convert_from(bytes, 'UTF8')::jsonb AS event FROM v402.event
       WHERE stream = $1 AND strpos(type, $2) > 0 ORDER BY occurred_at`,
      Buffer.from(contractId, 'hex'),
      type,
    );
    return rows.map(({ event }) => event);
  }

  async holds({ contractId }: Accepted): Promise<{ id: string; reason: string; evidence: unknown; open: boolean }[]> {
    return this.sql(
      `SELECT id, reason, evidence, released_at IS NULL AS open FROM v402.hold WHERE contract_id = $1`,
      Buffer.from(contractId, 'hex'),
    );
  }

  /** An operator holds the deal of a settlement. */
  async hold({ contractId }: Accepted): Promise<void> {
    await this.sql(
      `INSERT INTO v402.hold (id, deal_key, contract_id, reason, evidence, placed_by)
       SELECT gen_random_uuid(), deal_key, contract_id, 'equivocation', '{}', 'test' FROM v402.settlement
       WHERE contract_id = $1`,
      Buffer.from(contractId, 'hex'),
    );
  }

  async releaseHolds({ contractId }: Accepted): Promise<void> {
    await this.sql(
      `UPDATE v402.hold SET released_by = 'operator', released_at = clock_timestamp() WHERE contract_id = $1`,
      Buffer.from(contractId, 'hex'),
    );
  }
}

export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
