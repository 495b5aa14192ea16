import {
  OrderSystem,
  type CancelOutcome,
  type CreateOptions,
  type CreateOutcome,
  type FindResult,
  type OrderDraft,
  type OrderReference,
  type OrderSnapshot,
  type OrderStatus,
  type PreflightIssue,
} from '@v402/application';
import pg from 'pg';
import { fitIssues } from '../fit.js';
import { EMBEDDED_CAPABILITIES, SERVER_TIMEOUT_MS } from './capabilities.js';
import { cancelOutcomeOf, createOutcomeOf, questionFailed } from './errors.js';
import { insertValues, snapshotOf, type FoundRow, type OrderRow } from './mappers.js';
import { CANCEL_ORDER, FIND_ORDER, INSERT_ORDER, READ_ORDER } from './sql.js';
import { inTransaction, readOnce, type Query, type TransactionHooks } from './transaction.js';

/** For a connection, be it a free one or a new one. Whoever asks has a shorter deadline, mostly. */
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = EMBEDDED_CAPABILITIES.maxConcurrency / 2 + 2;

const ignore = (): void => undefined;

export interface EmbeddedOrderSystemOptions {
  /** Connection URL of a login role that is a member of `v402_orderbook`. */
  readonly url: string;
  /** For tests of what happens between an order and its answer. */
  readonly hooks?: TransactionHooks;
}

/**
 * A small order book in PostgreSQL, for those who have no order system to connect yet, and for tests. It plays a foreign
 * system: its own role and pool, no transaction shared with us, and an answer that can be lost.
 */
export class EmbeddedOrderSystem extends OrderSystem {
  readonly name = 'embedded';
  readonly capabilities = EMBEDDED_CAPABILITIES;
  readonly #pool: pg.Pool;
  readonly #hooks: TransactionHooks;

  constructor({ url, hooks = {} }: EmbeddedOrderSystemOptions) {
    super();
    this.#hooks = hooks;
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: 'v402 order book',
      // Half of the creates that may be under way wait a moment for a connection: they take about a millisecond each.
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: SERVER_TIMEOUT_MS,
      idle_in_transaction_session_timeout: SERVER_TIMEOUT_MS,
      // An order that was answered for stays, whatever the server's default.
      options: '-c synchronous_commit=on',
    });
    // An idle connection that breaks is replaced by the next call; on one that is lent, a statement fails. Without a listener
    // from its first moment on Node.js would end the process.
    this.#pool.on('error', ignore);
    this.#pool.on('connect', (client) => client.on('error', ignore));
  }

  preflight(draft: OrderDraft): Promise<readonly PreflightIssue[]> {
    const issues = fitIssues(draft, this.capabilities);
    draft.contract.terms.delivery.schedule.forEach(({ notBefore, notAfter }, index) => {
      // PostgreSQL's calendar has no year 0.
      if (![notBefore, notAfter].some((date) => date.startsWith('0000'))) return;
      issues.push({ code: 'date_unsupported', where: `/terms/delivery/schedule/${index}` });
    });
    return Promise.resolve(issues);
  }

  async create(draft: OrderDraft, { signal }: CreateOptions): Promise<CreateOutcome> {
    const values = insertValues(draft);
    try {
      return await inTransaction(this.#pool, signal, this.#hooks, async (query): Promise<CreateOutcome> => {
        const insert = { name: 'create-order', text: INSERT_ORDER, values };
        const [created] = (await query<Pick<FoundRow, 'order_number'>>(insert)).rows;
        if (created !== undefined) return { outcome: 'created', order: { orderNumber: created.order_number } };
        const existing = await find(query, draft);
        if (existing === undefined) throw new Error('The reference is taken by an order that cannot be seen.');
        return { outcome: 'already_exists', order: { orderNumber: existing.order_number } };
      });
    } catch (failure) {
      return createOutcomeOf(failure);
    }
  }

  async findByReference(reference: OrderReference, signal: AbortSignal): Promise<FindResult> {
    const row = await this.#ask<FoundRow>(FIND_ORDER, reference, signal);
    return row === undefined ? { found: 'none' } : { found: 'one', order: { orderNumber: row.order_number } };
  }

  async readBack(reference: OrderReference, signal: AbortSignal): Promise<OrderSnapshot | undefined> {
    const row = await this.#ask<OrderRow>(READ_ORDER, reference, signal);
    return row === undefined ? undefined : snapshotOf(reference, row);
  }

  async status(reference: OrderReference, signal: AbortSignal): Promise<OrderStatus | undefined> {
    return (await this.#ask<FoundRow>(FIND_ORDER, reference, signal))?.status;
  }

  async cancel(reference: OrderReference, reason: string, signal: AbortSignal): Promise<CancelOutcome> {
    const values = [reference.kind, reference.reference, reason];
    try {
      return await inTransaction(this.#pool, signal, this.#hooks, async (query): Promise<CancelOutcome> => {
        const { rowCount } = await query({ text: CANCEL_ORDER, values });
        if (rowCount === 1) return { outcome: 'cancelled' };
        return notCancelledNow(await find(query, reference));
      });
    } catch (failure) {
      return cancelOutcomeOf(failure);
    }
  }

  /** Ends the connections, once what is under way has come back. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #ask<Row extends FoundRow | OrderRow>(
    text: string,
    { kind, reference }: OrderReference,
    signal: AbortSignal,
  ): Promise<Row | undefined> {
    try {
      const [row] = await readOnce<Row>(this.#pool, signal, { text, values: [kind, reference] });
      return row;
    } catch (cause) {
      throw questionFailed(cause);
    }
  }
}

const find = async (query: Query, { kind, reference }: OrderReference): Promise<FoundRow | undefined> =>
  (await query<FoundRow>({ text: FIND_ORDER, values: [kind, reference] })).rows[0];

/** No open order was there to cancel: an earlier cancel has succeeded, or it is too late, or there never was one. */
const notCancelledNow = (order: FoundRow | undefined): CancelOutcome => {
  switch (order?.status) {
    case undefined:
      return { outcome: 'not_found' };
    case 'cancelled':
      return { outcome: 'cancelled' };
    case 'fulfilled':
      return { outcome: 'refused', code: 'already_fulfilled' };
    case 'open':
      // It cannot have been open a moment ago; whatever happened, asking again is right.
      return { outcome: 'retryable', code: 'order_changed_meanwhile' };
  }
};
