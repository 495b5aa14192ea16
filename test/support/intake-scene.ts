import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  AcceptContractsHandler,
  NoFaults,
  type FaultPoint,
  type Ids,
  type InboundMessage,
  type IntakeCounts,
  type IntakePolicy,
  type UnitOfWork,
} from '@v402/application';
import { identifyContract, type ContractDraft, type ContractIdentity } from '@v402/contract';
import { DEFAULT_TOPICS } from '@v402/events';
import { PgUnitOfWork } from '@v402/persistence';
import { loadTrustRegistry, TrustedSignatureVerifier } from '@v402/signatures';
import type { SignatureVerifier } from '@v402/contract';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from './database.js';
import { RecordedAlarms, RecordedWake } from './seams.js';
import { SIGNERS, trade, TRUST_REGISTRY, type Trade } from './trade.js';
import { until } from './until.js';

export const CONTRACTS = 'v402.settlement.contracts.v1';
export const AGREED_AT = '2026-11-21T10:15:30.120Z';
/** Half a minute after the agreement, as the broker says. */
export const ARRIVED_AT = '2026-11-21T10:16:00Z';

const POLICY: IntakePolicy = {
  handlerId: null,
  servedParties: null,
  requireTranscript: false,
  conflict: 'hold',
  codeVersion: 'test-1',
};

export interface AgreedTrade extends Trade, ContractIdentity {}

/** A signed contract, agreed at `AGREED_AT`; the same draft is the same contract. */
export function agreed(draft: ContractDraft = {}, signers = SIGNERS): AgreedTrade {
  const made = trade({ agreedAt: AGREED_AT, ...draft }, signers);
  return { ...made, ...identifyContract(made.contract) };
}

/** Another contract for the same deal: the draft's parties and negotiation, but told apart by an extension. */
export const variant = (name: string, draft: ContractDraft): AgreedTrade =>
  agreed({ ...draft, extensions: { 'com.example.variant': name } });

/** What a scene takes instead of what a handler usually has. */
export interface SceneParts {
  /** Wraps the unit of work that every handler of the scene uses. */
  readonly decorate?: (real: UnitOfWork) => UnitOfWork;
  readonly ids?: Ids;
}

export interface HandlerParts {
  readonly policy?: Partial<IntakePolicy>;
  readonly unitOfWork?: UnitOfWork;
  readonly faults?: FaultPoint;
  readonly verifierInUse?: () => SignatureVerifier;
}

/** An event as it is stored, its document parsed. */
export interface StoredDocument {
  readonly type: string;
  readonly topic: string;
  readonly sequence: number | null;
  /** Microseconds. */
  readonly occurredAt: bigint;
  readonly isInOutbox: boolean;
  readonly document: { readonly id: string; readonly data: Record<string, unknown> } & Record<string, unknown>;
}

type EventRow = Omit<StoredDocument, 'occurredAt' | 'document'> & { occurredAt: string; document: string };

/** Intake over a real database and real signatures; its messages are handed in directly. */
export class IntakeScene {
  readonly unitOfWork: UnitOfWork;
  readonly ids: Ids;
  readonly verifier = new TrustedSignatureVerifier(loadTrustRegistry(readFileSync(TRUST_REGISTRY)));
  readonly alarms = new RecordedAlarms();
  readonly wake = new RecordedWake();
  /** With the default policy and no faults. */
  readonly handler: AcceptContractsHandler;
  readonly #pg: PgUnitOfWork;
  readonly #admin: pg.Pool;
  #offset = 0n;

  private constructor(
    readonly database: TestDatabase,
    { decorate = same, ids = { next: () => randomUUID() } }: SceneParts,
  ) {
    this.#pg = new PgUnitOfWork({ url: database.appUrl, applicationName: 'intake', maxConnections: 8 });
    this.unitOfWork = decorate(this.#pg);
    this.ids = ids;
    this.#admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
    this.#admin.on('error', () => undefined);
    this.handler = this.handlerWith();
  }

  static async open(parts: SceneParts = {}): Promise<IntakeScene> {
    return new IntakeScene(await createTestDatabase(), parts);
  }

  handlerWith({
    policy,
    unitOfWork = this.unitOfWork,
    faults = new NoFaults(),
    verifierInUse = () => this.verifier,
  }: HandlerParts = {}): AcceptContractsHandler {
    const naming = { source: 'urn:v402:handler:test', topics: DEFAULT_TOPICS };
    const all = { ...POLICY, ...policy };
    return new AcceptContractsHandler(unitOfWork, verifierInUse, all, naming, this.ids, this.wake, this.alarms, faults);
  }

  /** The next record of partition 0, unless told otherwise. */
  message(value: Uint8Array | string | null, overrides: Partial<InboundMessage> = {}): InboundMessage {
    return {
      coordinates: { topic: CONTRACTS, partition: 0, offset: this.#offset++ },
      value: typeof value === 'string' ? Buffer.from(value) : value,
      arrival: { at: ARRIVED_AT, source: 'broker' },
      traceparent: undefined,
      ...overrides,
    };
  }

  /** Hands the values over as one batch. */
  handle(...values: readonly (Uint8Array | string | null)[]): Promise<IntakeCounts> {
    return this.handler.handle(values.map((value) => this.message(value)));
  }

  async sql<Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#admin.query(text, [...values])).rows as Row[];
  }

  /** Rows of a table that belong to a contract. */
  async of<Row = Record<string, unknown>>(table: string, contractId: string): Promise<Row[]> {
    return this.sql<Row>(`SELECT * FROM v402.${table} WHERE contract_id = $1`, [Buffer.from(contractId, 'hex')]);
  }

  async count(from: string): Promise<number> {
    const [row] = await this.sql<{ n: number }>(`SELECT count(*)::int AS n FROM v402.${from}`);
    return row!.n;
  }

  /** The events of a stream on one topic, in the order in which they are published. */
  async events(stream: string, topic: keyof typeof DEFAULT_TOPICS = 'settlement'): Promise<StoredDocument[]> {
    const rows = await this.sql<EventRow>(
      `SELECT e.type, e.topic, e.sequence, (extract(epoch FROM e.occurred_at) * 1000000)::bigint AS "occurredAt",
         o.id IS NOT NULL AS "isInOutbox", convert_from(e.bytes, 'UTF8') AS document
       FROM v402.event e LEFT JOIN v402.outbox o ON o.event_id = e.id
       WHERE e.stream = $1 AND e.topic = $2 ORDER BY o.id`,
      [Buffer.from(stream, 'hex'), DEFAULT_TOPICS[topic]],
    );
    return rows.map((row) => ({
      ...row,
      occurredAt: BigInt(row.occurredAt),
      document: JSON.parse(row.document) as StoredDocument['document'],
    }));
  }

  /** Everything that is stored, by table, but for the counters of what came again. */
  async content(): Promise<Record<string, unknown>> {
    const tables = await this.sql<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'v402' ORDER BY tablename",
    );
    const content: Record<string, unknown> = {};
    for (const { name } of tables) {
      const rows = await this.sql<{ row: unknown }>(
        `SELECT to_jsonb(t) - 'duplicates' - 'occurrences' AS row FROM v402.${name} t ORDER BY 1`,
      );
      content[name] = rows.map(({ row }) => row);
    }
    return content;
  }

  /** Waits until so many transactions of the given application wait for a lock. */
  async untilWaiting(applicationName: string, count = 1): Promise<void> {
    // Test files share the server and the names of applications: those of another file's database do not count.
    const sql =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock'";
    await until(async () => (await this.#admin.query(sql, [applicationName])).rowCount === count);
  }

  async close(): Promise<void> {
    await this.#pg.close();
    await this.#admin.end();
    await this.database.drop();
  }
}

const same = (unitOfWork: UnitOfWork): UnitOfWork => unitOfWork;
