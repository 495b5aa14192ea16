import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import type { OrderReference } from '@v402/application';
import { EMBEDDED_CAPABILITIES, EmbeddedOrderSystem, type TransactionHooks } from '@v402/order-systems';
import { buildOrderDraft, orderSystemConformance, type HeldCreate, type OrderSystemFixture } from '@v402/testing';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

const embeddedFixture = async (): Promise<OrderSystemFixture> => {
  const database = await createTestDatabase();
  const pool = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  let next: TransactionHooks = {};
  const hooks: TransactionHooks = {
    beforeCommit: async () => {
      const { beforeCommit } = next;
      if (beforeCommit !== undefined) next = {};
      await beforeCommit?.();
    },
    afterCommit: async () => {
      const { afterCommit } = next;
      if (afterCommit !== undefined) next = {};
      await afterCommit?.();
    },
  };
  const system = new EmbeddedOrderSystem({ url: database.orderbookUrl, hooks });
  const nobodyThere = new URL(database.orderbookUrl);
  nobodyThere.port = '1';
  const unreachable = new EmbeddedOrderSystem({ url: nobodyThere.href });
  const values = ({ kind, reference }: OrderReference): string[] => [kind, reference];
  return {
    system,
    unreachable,
    countOrders: async (reference) => {
      const sql = 'SELECT FROM orderbook.order_head WHERE kind = $1 AND reference = $2';
      return (await pool.query(sql, values(reference))).rowCount ?? 0;
    },
    loseNextAnswer: () => {
      next = { afterCommit: () => Promise.reject(new Error('the answer is lost')) };
    },
    breakNextCreate: () => {
      next = { beforeCommit: () => Promise.reject(new Error('the connection is lost')) };
    },
    holdNextCreate: () => {
      const [reached, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
      next = {
        beforeCommit: async () => {
          reached.resolve(undefined);
          await released.promise;
        },
      };
      const release = (): void => {
        released.resolve(undefined);
      };
      return { reached: reached.promise, release } satisfies HeldCreate;
    },
    fulfil: async (reference) => {
      const sql = "UPDATE orderbook.order_head SET status = 'fulfilled' WHERE kind = $1 AND reference = $2";
      await pool.query(sql, values(reference));
    },
    close: async () => {
      await Promise.all([system.close(), unreachable.close(), pool.end()]);
      await database.drop();
    },
  };
};

orderSystemConformance({ name: 'embedded', capabilities: EMBEDDED_CAPABILITIES, create: embeddedFixture });

describe('embedded order book', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  const systems: EmbeddedOrderSystem[] = [];
  const proxies: Server[] = [];

  const connected = (url: string, hooks: TransactionHooks = {}): EmbeddedOrderSystem => {
    const system = new EmbeddedOrderSystem({ url, hooks });
    systems.push(system);
    return system;
  };
  const options = (): { attempt: number; signal: AbortSignal } => ({
    attempt: 1,
    signal: AbortSignal.timeout(60_000),
  });
  let drafts = 0;
  const newDraft: typeof buildOrderDraft = (draft) => buildOrderDraft({ negotiationId: `book-${++drafts}`, ...draft });
  const count = async (reference: OrderReference): Promise<number> => {
    const sql = 'SELECT FROM orderbook.order_head WHERE kind = $1 AND reference = $2';
    return (await admin.query(sql, [reference.kind, reference.reference])).rowCount ?? 0;
  };

  /** Ends connections to this database, and waits until they are gone: their clients have been told by then. */
  const terminate = async (which: string): Promise<void> => {
    const sql = `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND ${which}`;
    const pids = (await admin.query<{ pid: number }>(sql, [database.name])).rows.map(({ pid }) => pid);
    expect(pids).not.toEqual([]);
    const left = 'SELECT FROM pg_stat_activity WHERE pid = ANY ($1)';
    await until(async () => (await admin.query(left, [pids])).rowCount === 0);
    // Their ends came before this answer: they are read in this turn of the event loop.
    await new Promise(setImmediate);
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
  });
  afterAll(async () => {
    await Promise.all(systems.map((system) => system.close()));
    for (const proxy of proxies) proxy.close();
    await admin.end();
    await database.drop();
  });

  /** Forwards a connection until COMMIT goes by, and cuts it there: before the server has it, or before its answer. */
  const cutAtCommit = async (where: 'request' | 'answer'): Promise<string> => {
    const target = new URL(database.orderbookUrl);
    const server = createServer((client) => {
      const upstream = connect({ host: target.hostname, port: Number(target.port) });
      let answerIsLost = false;
      client.on('data', (bytes) => {
        const isCommit = bytes.includes('COMMIT');
        if (isCommit && where === 'request') client.destroy();
        else upstream.write(bytes);
        answerIsLost ||= isCommit;
      });
      upstream.on('data', (bytes) => {
        if (answerIsLost) client.destroy();
        else client.write(bytes);
      });
      client.on('close', () => upstream.end()).on('error', () => undefined);
      upstream.on('close', () => client.destroy()).on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(database.orderbookUrl);
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    proxies.push(server);
    return url.href;
  };

  test.each([
    { where: 'request', orders: 0 },
    { where: 'answer', orders: 1 },
  ] as const)('error: a connection that is cut at the $where of the commit is unknown', async ({ where, orders }) => {
    const draft = newDraft();
    expect(await connected(await cutAtCommit(where)).create(draft, options())).toEqual({
      outcome: 'unknown',
      code: 'commit_unconfirmed',
    });
    expect(await count(draft)).toBe(orders);
  });

  test('error: a connection that breaks before the commit has written nothing, and the next call gets a new one', async () => {
    let isFirst = true;
    const system = connected(database.orderbookUrl, {
      beforeCommit: async () => {
        if (!isFirst) return;
        isFirst = false;
        await terminate("state = 'idle in transaction'");
      },
    });
    const draft = newDraft();
    expect(await system.create(draft, options())).toEqual({ outcome: 'retryable', code: 'order_book_lost' });
    expect(await count(draft)).toBe(0);
    expect(await system.create(draft, options())).toMatchObject({ outcome: 'created' });
  });

  test('error: idle connections that break are replaced', async () => {
    const system = connected(database.orderbookUrl);
    const draft = newDraft();
    await system.create(draft, options());
    await terminate("usename = 'v402_orderbook_login' AND state = 'idle'");
    expect(await system.create(draft, options())).toMatchObject({ outcome: 'already_exists' });
  });

  test('error: a reference that another transaction holds is waited for until the deadline only', async () => {
    const draft = newDraft();
    const [written, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const other = connected(database.orderbookUrl, {
      beforeCommit: async () => {
        written.resolve(undefined);
        await released.promise;
      },
    });
    const first = other.create(draft, options());
    await written.promise;
    const deadline = new AbortController();
    const second = connected(database.orderbookUrl).create(draft, { attempt: 1, signal: deadline.signal });
    const waiting = "SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
    await until(async () => (await admin.query(waiting, [database.name])).rowCount === 1);
    deadline.abort();
    expect(await second).toEqual({ outcome: 'retryable', code: 'aborted_before_commit' });
    released.resolve(undefined);
    expect(await first).toMatchObject({ outcome: 'created' });
    expect(await count(draft)).toBe(1);
  });

  test('error: data that does not fit is rejected whole', async () => {
    const system = connected(database.orderbookUrl);
    const draft = newDraft();
    const { terms } = draft.contract;
    const schedule = [
      { id: 'd1', notBefore: '2026-12-01', notAfter: '2026-12-01', items: [{ line: 'no', quantity: '1' }] },
    ];
    const contract = { ...draft.contract, terms: { ...terms, delivery: { schedule } } };
    expect(await system.create({ ...draft, contract }, options())).toEqual({
      outcome: 'rejected',
      code: 'data_refused',
      message: 'SQLSTATE 23502',
    });
    expect(await count(draft)).toBe(0);
  });

  test('error: a date that PostgreSQL does not know is refused by preflight', async () => {
    const system = connected(database.orderbookUrl);
    const schedule = [{ notBefore: '0000-01-01', notAfter: '2026-12-01' }];
    const draft = newDraft({ delivery: { schedule } });
    expect(await system.preflight(draft)).toEqual([{ code: 'date_unsupported', where: '/terms/delivery/schedule/0' }]);
    expect(await system.create(draft, options())).toMatchObject({ outcome: 'rejected', message: 'SQLSTATE 22008' });
  });

  test('error: a database that is not there, or a role that may not, is told from one that is away', async () => {
    const misconfigured = { outcome: 'retryable', code: 'order_book_misconfigured' };
    const wrongDatabase = new URL(database.orderbookUrl);
    wrongDatabase.pathname = '/nowhere';
    expect(await connected(wrongDatabase.href).create(newDraft(), options())).toEqual(misconfigured);
    const mayNot = connected(database.appUrl);
    expect(await mayNot.create(newDraft(), options())).toEqual(misconfigured);
    const { signal } = options();
    const { code } = misconfigured;
    await expect(mayNot.findByReference(newDraft(), signal)).rejects.toMatchObject({ kind: 'retryable', code });
    const nobodyThere = new URL(database.orderbookUrl);
    nobodyThere.port = '1';
    const away = connected(nobodyThere.href).findByReference(newDraft(), signal);
    await expect(away).rejects.toMatchObject({ kind: 'retryable', code: 'order_book_unavailable' });
  });

  test('behavior: numbers run on beyond six digits, each kind in its own series', async () => {
    const system = connected(database.orderbookUrl);
    await admin.query(
      "SELECT setval('orderbook.sales_order_number', 999998), setval('orderbook.purchase_order_number', 41)",
    );
    const numbers: string[] = [];
    for (const kind of ['sales_order', 'sales_order', 'purchase_order'] as const) {
      const outcome = await system.create(newDraft({ kind }), options());
      if (outcome.outcome === 'created') numbers.push(outcome.order.orderNumber);
    }
    expect(numbers).toEqual(['SO-999999', 'SO-1000000', 'PO-000042']);
  });
});
