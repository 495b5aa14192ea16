import {
  coordinatesKey,
  ReconciliationBooks,
  type BookedEvent,
  type BookedLoss,
  type BookedOrder,
  type BookedSettlement,
  type FoundEvent,
  type KafkaCoordinates,
  type OpenItem,
  type ReconciliationReport,
  type UnprovenCode,
  type Window,
} from '@v402/application';
import { TerminalError, type ContractId, type Micros } from '@v402/domain';
import type { QueryResultRow } from 'pg';
import type { DatabaseOptions } from '../pool.js';
import { columns, type SqlValue } from '../session.js';
import { WORK_KINDS } from '../stores/work.store.js';
import { bytea, microsOf, optionalMicros } from '../values.js';
import { ReadOnlyDatabase } from './read-only-database.js';
import * as sql from './reconciliation-sql.js';

/** Settlements and events that are in memory at once. */
const PART = 200;
/** Between two parts the order system is asked, which may take a while. */
const IDLE_LIMIT_MS = 600_000;
/** Before there is a first part, all events of a window may have to be looked through. */
const STATEMENT_LIMIT_MS = 120_000;

const NOW = `SELECT ${microsOf('clock_timestamp()')} AS now`;

type EventJson = Omit<FoundEvent, 'sequence' | 'occurredAt' | 'previous'> & {
  readonly sequence: number | null;
  readonly occurredAt: string;
  readonly previous?: number | null;
};
type SettlementRow = Omit<BookedSettlement, 'acceptedAt' | 'events' | 'orders'> & {
  readonly acceptedAt: string;
  readonly events: readonly EventJson[];
  readonly orders: readonly (Omit<BookedOrder, 'orderNumber' | 'adoptedFrom'> & {
    readonly orderNumber: string | null;
    readonly adoptedFrom: string | null;
  })[];
} & QueryResultRow;
type OpenRow = { subject: string; reason: string; since: string };
type LossRow = Omit<BookedLoss, 'firstOffset' | 'nextOffset' | 'knownAt' | 'noticedAt'> & {
  firstOffset: string;
  nextOffset: string | null;
  knownAt: string;
  noticedAt: string;
};

export class PgReconciliationBooks extends ReconciliationBooks {
  readonly #database: ReadOnlyDatabase;

  constructor(options: DatabaseOptions) {
    super();
    this.#database = new ReadOnlyDatabase({
      maxConnections: 3,
      statementTimeoutMs: STATEMENT_LIMIT_MS,
      idleInTransactionTimeoutMs: IDLE_LIMIT_MS,
      ...options,
    });
  }

  async now(): Promise<Micros> {
    const [row] = await this.#query<{ now: string }>(NOW);
    if (row === undefined) throw new TerminalError('clock_missing', 'The database did not tell its time.');
    return BigInt(row.now);
  }

  settlements(window: Window): AsyncIterable<readonly BookedSettlement[]> {
    return this.#settlements(sql.SETTLEMENTS, window);
  }

  earlierSettlements(window: Window): AsyncIterable<readonly BookedSettlement[]> {
    return this.#settlements(sql.EARLIER_SETTLEMENTS, window);
  }

  async *otherEvents(window: Window): AsyncIterable<readonly BookedEvent[]> {
    const parts = this.#database.inParts<{ event: EventJson }>(sql.OTHER_EVENTS, ofWindow(window), PART * 5);
    for await (const rows of parts) yield rows.map(({ event }) => eventOf(event));
  }

  async acceptances(window: Window): Promise<{ count: number; orphans: readonly string[] }> {
    const [row] = await this.#query<{ count: number; orphans: string[] }>(sql.ACCEPTANCES, ofWindow(window));
    return row ?? { count: 0, orphans: [] };
  }

  async refusals(window: Window): Promise<{ count: number; unannounced: readonly string[] }> {
    const [row] = await this.#query<{ count: number; unannounced: string[] }>(sql.REFUSALS, ofWindow(window));
    return row ?? { count: 0, unannounced: [] };
  }

  async eventsById(ids: readonly string[]): Promise<ReadonlyMap<string, FoundEvent>> {
    const rows = await this.#query<{ event: EventJson }>(sql.EVENTS_BY_ID, [ids]);
    return new Map(rows.map(({ event }) => [event.id, { ...eventOf(event), previous: event.previous ?? undefined }]));
  }

  async unpublished(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#ids(sql.UNPUBLISHED, [ids]);
  }

  overdueWork(before: Micros, limit: number): Promise<readonly OpenItem[]> {
    return this.#open(sql.OVERDUE_WORK, [before, limit, WORK_KINDS]);
  }

  parkedStreams(limit: number): Promise<readonly OpenItem[]> {
    return this.#open(sql.PARKED_STREAMS, [limit]);
  }

  openHolds(limit: number): Promise<readonly OpenItem[]> {
    return this.#open(sql.OPEN_HOLDS, [limit]);
  }

  decidedDigests(digests: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#ids(sql.DECIDED_DIGESTS, [digests.map(bytea)]);
  }

  decidedContracts(ids: readonly ContractId[]): Promise<ReadonlySet<ContractId>> {
    return this.#ids(sql.DECIDED_CONTRACTS, [ids.map(bytea)]);
  }

  async decidedAt(coordinates: readonly KafkaCoordinates[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const values = columns(
      coordinates,
      ({ topic }) => topic,
      ({ partition }) => partition,
      ({ offset }) => offset,
    );
    type Row = { topic: string; partition: number; offset: string; digests: string[] };
    const rows = await this.#query<Row>(sql.DECIDED_AT, values);
    return new Map(
      rows.map(({ offset, digests, ...at }) => [coordinatesKey({ ...at, offset: BigInt(offset) }), digests]),
    );
  }

  async nextOffsets(topic: string): Promise<ReadonlyMap<number, bigint>> {
    const rows = await this.#query<{ partition: number; next: string }>(sql.NEXT_OFFSETS, [topic]);
    return new Map(rows.map(({ partition, next }) => [partition, BigInt(next)]));
  }

  async losses(window: Window): Promise<readonly BookedLoss[]> {
    const rows = await this.#query<LossRow>(sql.LOSSES, ofWindow(window));
    return rows.map(({ firstOffset, nextOffset, knownAt, noticedAt, ...loss }) => ({
      ...loss,
      firstOffset: BigInt(firstOffset),
      nextOffset: nextOffset === null ? undefined : BigInt(nextOffset),
      knownAt: BigInt(knownAt),
      noticedAt: BigInt(noticedAt),
    }));
  }

  async lookedUntil(without: readonly UnprovenCode[], since: Micros): Promise<Micros | undefined> {
    const [row] = await this.#query<{ until: string | null }>(sql.LOOKED_UNTIL, [without, since]);
    return optionalMicros(row?.until ?? null);
  }

  async provenUntil(): Promise<Micros | undefined> {
    const [row] = await this.#query<{ until: string | null }>(sql.PROVEN_UNTIL);
    return optionalMicros(row?.until ?? null);
  }

  async lastReport(): Promise<ReconciliationReport | undefined> {
    return (await this.#query<{ report: ReconciliationReport }>(sql.LAST_RUN))[0]?.report;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async *#settlements(text: string, window: Window): AsyncIterable<readonly BookedSettlement[]> {
    for await (const rows of this.#database.inParts<SettlementRow>(text, ofWindow(window), PART)) {
      yield rows.map((row) => ({
        ...row,
        acceptedAt: BigInt(row.acceptedAt),
        orders: row.orders.map((order) => ({
          ...order,
          orderNumber: order.orderNumber ?? undefined,
          adoptedFrom: order.adoptedFrom ?? undefined,
        })),
        events: row.events.map(eventOf),
      }));
    }
  }

  #query<Row extends QueryResultRow>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.#database.atOneMoment((session) => session.query<Row>(text, values));
  }

  async #ids(text: string, values: readonly SqlValue[]): Promise<ReadonlySet<string>> {
    return new Set((await this.#query<{ id: string }>(text, values)).map(({ id }) => id));
  }

  async #open(text: string, values: readonly SqlValue[]): Promise<readonly OpenItem[]> {
    const rows = await this.#query<OpenRow>(text, values);
    return rows.map(({ subject, reason, since }) => ({ subject, reason, since: BigInt(since) }));
  }
}

const ofWindow = ({ from, to }: Window): readonly SqlValue[] => [from, to];

const eventOf = ({ id, stream, type, topic, sequence, occurredAt, sha256, position }: EventJson): BookedEvent => ({
  ...{ id, stream, type, topic, sha256, position },
  sequence: sequence ?? undefined,
  occurredAt: BigInt(occurredAt),
});
