import type { Transaction } from '@v402/application';
import type pg from 'pg';
import {
  aDeal,
  aDelivery,
  aLeg,
  anEquivocation,
  anOrder,
  aSettlement,
  insertSettlement,
  MOMENT,
  sha256,
} from '../support/records.js';
import { StoreScene } from '../support/store-scene.js';

/** Real: PostgreSQL. The stores of deals and settlements, as their ports describe them, and the order of their locks. */
let stores: StoreScene;
let admin: pg.Client;
let rowsOf: StoreScene['rowsOf'];
let run: StoreScene['run'];
let stuckBehindALock: StoreScene['stuckBehindALock'];

beforeAll(async () => {
  stores = await StoreScene.open();
  ({ admin, rowsOf, run, stuckBehindALock } = stores);
});

afterAll(() => stores.close());

describe('deals', () => {
  test('missing ones are inserted, those that are there stay as they are', async () => {
    const deal = aDeal('deal');
    await run((tx) => tx.deals.insertMissing([deal]));
    await run((tx) => tx.deals.insertMissing([aDeal('deal', { buyer: 'somebody else' }), aDeal('another deal')]));
    expect(
      await rowsOf("SELECT buyer FROM v402.deal WHERE negotiation_id LIKE '%deal' ORDER BY buyer = $1", deal.buyer),
    ).toEqual([{ buyer: deal.buyer }, { buyer: deal.buyer }]);
  });

  test('a deal is held while one of its holds is open', async () => {
    const { id, dealKey } = { id: '7b0e4b3e-4bb1-4b43-8a5a-3ec9f5b0a402', dealKey: aDeal('held').key };
    const contractId = await run((tx) => insertSettlement(tx, 'held'));
    const cause = { reason: 'order_rejected', evidence: { side: 'seller', code: 'sku_unknown' } } as const;
    await run((tx) => tx.deals.placeHolds([{ id, dealKey, contractId, cause, placedBy: 'orders' }]));
    const held = () => run((tx) => tx.deals.held([dealKey, aDeal('free').key]));
    expect(await held()).toEqual(new Set([dealKey]));
    expect(await rowsOf('SELECT reason, evidence, placed_by FROM v402.hold WHERE id = $1', id)).toEqual([
      { ...cause, placed_by: 'orders' },
    ]);
    await admin.query("UPDATE v402.hold SET released_by = 'op', released_at = now() WHERE id = $1", [id]);
    expect(await held()).toEqual(new Set());
  });
});

describe('settlements', () => {
  test('what is inserted is read back the same', async () => {
    const settlement = aSettlement('settlement', {
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      position: { settlement: 3, payments: 2, deliveries: 1, lastEventAt: MOMENT },
      canonical: Uint8Array.of(0, 255, 92, 34, 39, 10),
    });
    await run((tx) => tx.deals.insertMissing([aDeal('settlement')]));
    await run((tx) => tx.settlements.insert([settlement]));
    const { contractId, dealKey, current, state, shortRef, orderReference, canonical, traceparent, position } =
      settlement;
    const accepted = { contractId, dealKey, current, state, shortRef, orderReference, traceparent, position };
    const record = { ...accepted, canonical: Buffer.from(canonical) };
    expect(await run((tx) => tx.settlements.read([contractId, sha256('absent')]))).toEqual([record]);
    expect(await run((tx) => tx.settlements.lock([contractId]))).toEqual([record]);
    expect(await run((tx) => tx.settlements.accepted([contractId, sha256('absent')]))).toEqual(new Set([contractId]));
    expect(await run((tx) => tx.settlements.lockOfDeals([dealKey]))).toEqual([
      { ...accepted, facts: { orders: [], legs: [], deliveries: [] } },
    ]);
  });

  test('nothing asked, nothing sent', async () => {
    expect(await run((tx) => tx.settlements.read([]))).toEqual([]);
    await run((tx) => tx.settlements.insert([]));
  });

  test("a contract's instants are labels: any fraction and the year 0000 have one", async () => {
    const contractId = await run((tx) =>
      insertSettlement(tx, 'label', {
        agreedAt: '0000-02-29T00:00:00Z',
        expiresAt: `2026-12-21T10:15:30.${'1234567'.padEnd(300, '9')}Z`,
        acceptedAt: MOMENT,
      }),
    );
    const sql = `SELECT agreed_at = '0001-01-01T00:00:00Z' AS agreed, expires_at = '2026-12-21T10:15:30.123456Z' AS expires,
      accepted_at = '2026-11-22T10:15:30.123457Z' AS accepted FROM v402.settlement WHERE contract_id = $1`;
    expect(await rowsOf(sql, Buffer.from(contractId, 'hex'))).toEqual([
      { agreed: true, expires: true, accepted: true },
    ]);
  });

  test('one that is retired leaves its place to the next', async () => {
    const base = await run((tx) => insertSettlement(tx, 'amended'));
    const amendment = sha256('contract amendment');
    await run(async (tx) => {
      await tx.settlements.retire([base]);
      await tx.settlements.insert([aSettlement('amended', { contractId: amendment, supersedes: base })]);
    });
    const chain = await run((tx) => tx.settlements.lockOfDeals([aDeal('amended').key]));
    expect(chain.map(({ contractId, current }) => ({ contractId, current }))).toEqual(
      [
        { contractId: base, current: false },
        { contractId: amendment, current: true },
      ].sort((a, b) => a.contractId.localeCompare(b.contractId)),
    );
  });

  test('duplicates add up', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'duplicate'));
    await run((tx) => tx.settlements.countDuplicates(new Map([[contractId, 2]])));
    await run((tx) =>
      tx.settlements.countDuplicates(
        new Map([
          [contractId, 3],
          [sha256('absent'), 1],
        ]),
      ),
    );
    const sql = 'SELECT duplicates FROM v402.settlement WHERE contract_id = $1';
    expect(await rowsOf(sql, Buffer.from(contractId, 'hex'))).toEqual([{ duplicates: 5 }]);
  });

  test('facts are those of each settlement, and the state follows from them', async () => {
    const [one, two] = await run(async (tx) => [
      await insertSettlement(tx, 'facts'),
      await insertSettlement(tx, 'facts 2'),
    ]);
    await run(async (tx) => {
      await tx.orders.insert([anOrder(one, { state: 'placing' }), anOrder(one, { side: 'buyer' }), anOrder(two)]);
      await tx.legs.insert([aLeg(one, { state: 'scheduled' })]);
      await tx.deliveries.insert([aDelivery(one)]);
      await tx.settlements.deriveStates([one, two]);
    });
    const contracts = await run((tx) => tx.settlements.lockOfDeals([aDeal('facts').key, aDeal('facts 2').key]));
    expect(contracts.find(({ contractId }) => contractId === one)).toMatchObject({
      state: 'ordering',
      facts: { orders: { length: 2 }, legs: ['scheduled'], deliveries: ['waiting'] },
    });
    expect(contracts.find(({ contractId }) => contractId === two)).toMatchObject({
      state: 'accepted',
      facts: { orders: ['waiting'], legs: [], deliveries: [] },
    });
  });

  test('facts are read after the locks are held, not as they were before the wait', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'late facts'));
    let waiting: Promise<unknown> = Promise.resolve();
    await run(async (tx) => {
      await tx.settlements.lock([contractId]);
      waiting = run((other) => other.settlements.lockOfDeals([aDeal('late facts').key]));
      await stuckBehindALock();
      await tx.orders.insert([anOrder(contractId, { state: 'placing' })]);
    });
    expect(await waiting).toMatchObject([{ facts: { orders: ['placing'] } }]);
  });
});

describe('locks are taken in key order, whatever the order of the rows in the table', () => {
  const names = Array.from({ length: 6 }, (_, i) => `in order ${i}`);
  const keys = names.map((name) => aDeal(name).key).sort();
  const ids = names.map((name) => aSettlement(name).contractId).sort();

  beforeAll(async () => {
    // The last key first, one statement each: a scan of the table meets them in the wrong order.
    const byKey = [...names].sort((a, b) => aDeal(b).key.localeCompare(aDeal(a).key));
    for (const name of byKey) await run((tx) => tx.deals.insertMissing([aDeal(name)]));
    const byId = [...names].sort((a, b) => aSettlement(b).contractId.localeCompare(aSettlement(a).contractId));
    for (const name of byId) {
      const { contractId } = aSettlement(name);
      await run((tx) => tx.settlements.insert([aSettlement(name)]));
      await run((tx) => tx.evidence.quarantine([anEquivocation(contractId)]));
    }
  });

  const ones = (): Map<string, number> => new Map([...ids].reverse().map((id) => [id, 1]));
  const cases: [string, string, string[], (tx: Transaction) => Promise<unknown>][] = [
    ['deals.lock', 'deal.key', keys, (tx) => tx.deals.lock([...keys].reverse())],
    ['settlements.lock', 'settlement.contract_id', ids, (tx) => tx.settlements.lock([...ids].reverse())],
    ['settlements.lockOfDeals', 'settlement.contract_id', ids, (tx) => tx.settlements.lockOfDeals(keys)],
    ['settlements.countDuplicates', 'settlement.contract_id', ids, (tx) => tx.settlements.countDuplicates(ones())],
    ['evidence.countQuarantined', 'quarantine.contract_id', ids, (tx) => tx.evidence.countQuarantined(ones())],
  ];

  test.each(cases)('%s', async (_, column, inOrder, lock) => {
    const [table, key] = column.split('.');
    const rows = `v402.${table!} WHERE ${key!} = ANY ($1)`;
    await admin.query('BEGIN');
    await admin.query(`SELECT FROM ${rows} FOR UPDATE`, [[Buffer.from(inOrder[2]!, 'hex')]]);
    const locking = run(lock);
    await stuckBehindALock();
    const free = await rowsOf(
      `SELECT encode(${key!}, 'hex') AS key FROM ${rows} ORDER BY ${key!} FOR UPDATE SKIP LOCKED`,
      inOrder.map((hex) => Buffer.from(hex, 'hex')),
    );
    await admin.query('ROLLBACK');
    await locking;
    // It holds those before the one that it waits for, and none behind it.
    expect(free).toEqual(inOrder.slice(2).map((hex) => ({ key: hex })));
  });
});
