import { setTimeout as sleep } from 'node:timers/promises';
import { type Claim, coordinatesKey, type DecidedMessage, rejectionKey, type Transaction } from '@v402/application';
import { instantOfMicros } from '@v402/domain';
import { PgUnitOfWork } from '@v402/persistence';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  aDeal,
  aDecision,
  aDelivery,
  aLeg,
  anEquivocation,
  anEvent,
  anOrder,
  aRawMessage,
  aRejection,
  aSettlement,
  insertSettlement,
  MOMENT,
  sha256,
  someWork,
} from '../support/records.js';

/** Real: PostgreSQL. Each store's contract, as its port describes it. */
let database: TestDatabase;
let unitOfWork: PgUnitOfWork;
let admin: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName: 'under test' });
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});

afterAll(async () => {
  await unitOfWork.close();
  await admin.end();
  await database.drop();
});

const run = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => unitOfWork.run(work);

const rowsOf = async (sql: string, ...values: unknown[]): Promise<unknown[]> =>
  (await admin.query<Record<string, unknown>>(sql, values)).rows;

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

const stuckBehindALock = async (): Promise<void> => {
  const sql =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'under test' AND wait_event_type = 'Lock'";
  while ((await admin.query(sql)).rowCount === 0) await sleep(5);
};

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

describe('orders, legs and deliveries', () => {
  test('orders: read back the same, and every save raises the revision', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'orders'));
    const [buyer, seller] = [anOrder(contractId, { side: 'buyer' }), anOrder(contractId)];
    await run((tx) => tx.orders.insert([seller, buyer]));
    expect(await run((tx) => tx.orders.ofSettlements([contractId]))).toEqual([buyer, seller]);
    const created = anOrder(contractId, {
      state: 'created',
      attempt: 2,
      unknowns: 1,
      lookUpNotBefore: MOMENT + 1n,
      orderSystem: 'embedded',
      orderNumber: 'SO-1',
      orderUrl: 'https://orders.example/SO-1',
      code: 'time_out',
      orderedAt: MOMENT,
    });
    await run((tx) => tx.orders.save([created]));
    expect(await run((tx) => tx.orders.ofSettlements([contractId]))).toEqual([buyer, created]);
    const sql = 'SELECT side, revision FROM v402.order_placement WHERE contract_id = $1 ORDER BY side';
    expect(await rowsOf(sql, Buffer.from(contractId, 'hex'))).toEqual([
      { side: 'buyer', revision: 0 },
      { side: 'seller', revision: 1 },
    ]);
  });

  test('legs: read back the same; a save writes the progress and not what was agreed', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'legs'));
    const [one, two] = [aLeg(contractId), aLeg(contractId, { legId: 'leg-0', number: 2, rail: 'x402' })];
    await run((tx) => tx.legs.insert([two, one]));
    expect(await run((tx) => tx.legs.ofSettlements([contractId]))).toEqual([one, two]);
    const blocked = {
      ...one,
      state: 'blocked',
      attempt: 2,
      triggeredAt: MOMENT,
      dueDate: '2026-12-06',
      code: 'no_account',
    } as const;
    await run((tx) => tx.legs.save([{ ...blocked, amount: '1', days: 1 }]));
    expect(await run((tx) => tx.legs.ofSettlements([contractId]))).toEqual([blocked, two]);
  });

  test('deliveries: read back the same', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'deliveries'));
    const [one, two] = [aDelivery(contractId), aDelivery(contractId, { deliveryId: 'a', number: 2 })];
    await run((tx) => tx.deliveries.insert([two, one]));
    const requested = { ...one, state: 'requested', attempt: 2 } as const;
    await run((tx) => tx.deliveries.save([{ ...requested, notBefore: '2027-01-01' }]));
    expect(await run((tx) => tx.deliveries.ofSettlements([contractId]))).toEqual([requested, two]);
  });

  test('error: saving a row that is not there', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'no rows'));
    await expect(run((tx) => tx.orders.save([anOrder(contractId)]))).rejects.toMatchObject({ code: 'row_missing' });
    await expect(run((tx) => tx.legs.save([aLeg(contractId)]))).rejects.toMatchObject({ code: 'row_missing' });
    await expect(run((tx) => tx.deliveries.save([aDelivery(contractId)]))).rejects.toMatchObject({
      code: 'row_missing',
    });
  });
});

describe('exactness', () => {
  test('amounts keep their value to the last of 27 digits', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'amounts', { total: '999999999999999999.999999999' }));
    const amounts = ['999999999999999999.999999999', '0.000000001', '400.00', '400', '1000000', '9007199254740993'];
    const legs = amounts.map((amount, i) => aLeg(contractId, { legId: String(i), number: i + 1, amount }));
    await run((tx) => tx.legs.insert(legs));
    const stored = await run((tx) => tx.legs.ofSettlements([contractId]));
    expect(stored.map((leg) => leg.amount)).toEqual([...amounts.slice(0, 2), '400', '400', ...amounts.slice(4)]);
  });

  test('moments keep every microsecond', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'moments'));
    const seed = Date.now();
    const moments = [
      0n,
      1n,
      -1n,
      MOMENT,
      -62_135_596_800_000_000n, // year 1
      -62_167_219_200_000_000n, // year 0
      9_007_199_254_740_991n, // 2255, the last that every microsecond is exact of
      253_402_300_799_000_000n, // the last second of 9999
      ...Array.from(
        { length: 200 },
        (_, i) => 1_700_000_000_000_000n + ((BigInt(seed) * BigInt(i + 1) * 7_919n) % 3_000_000_000_000_000n),
      ),
    ];
    await run((tx) =>
      tx.legs.insert(
        moments.map((triggeredAt, i) => aLeg(contractId, { legId: String(i), number: i + 1, triggeredAt })),
      ),
    );
    const stored = await run((tx) => tx.legs.ofSettlements([contractId]));
    expect({ seed, moments: stored.map((leg) => leg.triggeredAt) }).toEqual({ seed, moments });
    const text = await rowsOf(
      `SELECT to_char(triggered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at FROM v402.payment_leg
       WHERE contract_id = $1 AND leg_id = '3'`,
      Buffer.from(contractId, 'hex'),
    );
    expect(text).toEqual([{ at: instantOfMicros(MOMENT) }]);
  });

  test('dates are those of the contract, from the year 0000 on, wherever the server thinks it is', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'dates'));
    const url = new URL(database.appUrl);
    url.searchParams.set('options', '-c timezone=Pacific/Kiritimati -c datestyle=German,DMY');
    const elsewhere = new PgUnitOfWork({ url: url.href, applicationName: 'elsewhere' });
    const dates = ['0000-02-29', '0001-01-01', '1582-10-10', '2026-12-31', '9999-12-31'];
    const rows = dates.map((date, i) =>
      aDelivery(contractId, { deliveryId: date, number: i + 1, notBefore: date, notAfter: date }),
    );
    await elsewhere.run((tx) => tx.deliveries.insert(rows));
    expect(await elsewhere.run((tx) => tx.deliveries.ofSettlements([contractId]))).toEqual(rows);
    expect(await run((tx) => tx.deliveries.ofSettlements([contractId]))).toEqual(rows);
    await elsewhere.close();
  });
});

describe('evidence', () => {
  test('raw bytes are kept once, as they came', async () => {
    const raw = { ...aRawMessage('raw'), bytes: Uint8Array.of(0, 1, 255, 92), size: 2_000_000, truncated: true };
    await run((tx) => tx.evidence.keepRaw([raw]));
    await run((tx) => tx.evidence.keepRaw([{ ...raw, bytes: Uint8Array.of(7) }, aRawMessage('raw 2')]));
    const sql = 'SELECT bytes, size, truncated FROM v402.raw_message WHERE digest = $1';
    expect(await rowsOf(sql, Buffer.from(raw.digest, 'hex'))).toEqual([
      { bytes: Buffer.from([0, 1, 255, 92]), size: 2_000_000, truncated: true },
    ]);
  });

  test('decisions: an earlier arrival is found by coordinates and content, the first one first', async () => {
    const raw = aRawMessage('decided');
    const coordinates = { topic: 'decided', partition: 3, offset: 9_007_199_254_740_993n };
    const first = aDecision(raw, { coordinates, contractId: sha256('decided'), code: 'x' });
    await run(async (tx) => {
      await tx.evidence.keepRaw([raw]);
      await tx.evidence.recordDecisions([first]);
      await tx.evidence.recordDecisions([
        aDecision(raw, { coordinates, arrival: { at: '2027-01-01T00:00:00Z', source: 'database' } }),
      ]);
    });
    const asked = { coordinates, rawDigest: raw.digest };
    const absent = { ...asked, coordinates: { ...coordinates, offset: 2n } };
    expect(await run((tx) => tx.evidence.earlierArrivals([asked, absent]))).toEqual(
      new Map([[coordinatesKey(coordinates), first.arrival]]),
    );
    const other = { ...asked, rawDigest: sha256('another message at the same place of a topic made anew') };
    expect(await run((tx) => tx.evidence.earlierArrivals([other]))).toEqual(new Map());
    const sql =
      "SELECT outcome, code, keys, code_version FROM v402.decision WHERE topic = 'decided' ORDER BY id LIMIT 1";
    expect(await rowsOf(sql)).toEqual([{ outcome: 'accepted', code: 'x', keys: first.keys, code_version: '0.1.0' }]);
  });

  test('rejections: new ones are told from repeated ones, which are counted', async () => {
    const [one, two] = [aRejection(aRawMessage('one')), aRejection(aRawMessage('two'), { occurrences: 3 })];
    expect(await run((tx) => tx.evidence.recordRejections([one]))).toEqual(new Set([rejectionKey(one)]));
    expect(await run((tx) => tx.evidence.recordRejections([one, two]))).toEqual(new Set([rejectionKey(two)]));
    const otherCode = { ...one, code: 'same_party' } as const;
    expect(await run((tx) => tx.evidence.recordRejections([two, otherCode]))).toEqual(
      new Set([rejectionKey(otherCode)]),
    );
    const digests = [one, two].map((rejection) => Buffer.from(rejection.rawDigest, 'hex'));
    const sql = 'SELECT code, occurrences FROM v402.rejection WHERE raw_digest = ANY ($1) ORDER BY occurrences, code';
    expect(await rowsOf(sql, digests)).toEqual([
      { code: 'same_party', occurrences: 1 },
      { code: 'expired', occurrences: 2 },
      { code: 'expired', occurrences: 6 },
    ]);
  });

  test('quarantine: one entry per equivocating contract, repeated ones counted', async () => {
    const contractId = sha256('equivocation');
    await run((tx) => tx.evidence.quarantine([anEquivocation(contractId)]));
    await run((tx) => tx.evidence.quarantine([anEquivocation(contractId), anEquivocation(sha256('equivocation 2'))]));
    await run((tx) => tx.evidence.countQuarantined(new Map([[contractId, 4]])));
    expect(await run((tx) => tx.evidence.quarantined([contractId, sha256('absent')]))).toEqual(new Set([contractId]));
    const sql = 'SELECT occurrences FROM v402.quarantine WHERE contract_id = $1';
    expect(await rowsOf(sql, Buffer.from(contractId, 'hex'))).toEqual([{ occurrences: 5 }]);
  });

  test('quarantine: an undecidable message is parked once and counted', async () => {
    const rawDigest = sha256('undecidable');
    const park = (id: string) => run((tx) => tx.evidence.quarantineUndecidable({ id, rawDigest }));
    expect(await park('7b0e4b3e-4bb1-4b43-8a5a-3ec9f5b0a001')).toBe(true);
    expect(await park('7b0e4b3e-4bb1-4b43-8a5a-3ec9f5b0a002')).toBe(false);
    const sql = 'SELECT reason, occurrences FROM v402.quarantine WHERE raw_digest = $1';
    expect(await rowsOf(sql, Buffer.from(rawDigest, 'hex'))).toEqual([
      { reason: 'undecidable_message', occurrences: 2 },
    ]);
  });

  test('marks of the input never go back', async () => {
    const decided = (offset: bigint, partition = 0): DecidedMessage => ({
      coordinates: { topic: 'offsets', partition, offset },
      rawDigest: sha256(`${partition}/${offset}`),
    });
    await run((tx) => tx.input.advance([decided(5n), decided(7n), decided(6n), decided(1n, 1)]));
    await run((tx) => tx.input.advance([decided(2n), decided(9_007_199_254_740_993n, 1)]));
    expect(await run((tx) => tx.input.marks('offsets'))).toMatchObject([
      { partition: 0, next: 8n, last: { offset: 7n, digest: sha256('0/7') } },
      { partition: 1, next: 9_007_199_254_740_994n, last: { offset: 9_007_199_254_740_993n } },
    ]);
    expect(await run((tx) => tx.input.marks('other topic'))).toEqual([]);
  });

  test('the role cannot change or delete evidence', async () => {
    const app = new pg.Client({ connectionString: database.appUrl });
    await app.connect();
    for (const table of ['event', 'decision', 'raw_message', 'rejection', 'quarantine', 'settlement']) {
      await expect(app.query(`DELETE FROM v402.${table}`)).rejects.toMatchObject({ code: '42501' });
    }
    await expect(app.query("UPDATE v402.event SET type = 'x'")).rejects.toMatchObject({ code: '42501' });
    await expect(app.query("UPDATE v402.settlement SET canonical = ''")).rejects.toMatchObject({ code: '42501' });
    await app.end();
  });
});

describe('work', () => {
  beforeEach(() => admin.query('DELETE FROM v402.work'));

  const claim = (overrides: Partial<Parameters<Transaction['work']['claim']>[0]> = {}): Promise<readonly Claim[]> =>
    run((tx) => tx.work.claim({ kinds: ['order'], limit: 10, leaseMs: 60_000, owner: 'me', ...overrides }));

  const endLeases = () => admin.query("UPDATE v402.work SET lease_until = now() - interval '1 second'");

  test('is added once', async () => {
    await run((tx) => tx.work.add([someWork(sha256('w')), someWork(sha256('w'), { side: 'buyer' })]));
    await run((tx) => tx.work.add([someWork(sha256('w'), { dueAt: 0n })]));
    expect(await rowsOf('SELECT side FROM v402.work ORDER BY side')).toEqual([{ side: 'buyer' }, { side: 'seller' }]);
    expect(await rowsOf("SELECT FROM v402.work WHERE due_at < now() - interval '1 hour'")).toEqual([]);
  });

  test('is claimed when it is due, the longest due first, of the kinds that are asked for', async () => {
    const now = await run((tx) => tx.now());
    await run((tx) =>
      tx.work.add([
        someWork(sha256('a'), { dueAt: now - 2_000_000n }),
        someWork(sha256('b'), { dueAt: now - 3_000_000n }),
        someWork(sha256('c'), { dueAt: now + 60_000_000n }),
        someWork(sha256('d'), { kind: 'delivery', subjectId: 'delivery-1', dueAt: now - 1_000_000n }),
      ]),
    );
    expect((await claim({ limit: 1 })).map(({ contractId }) => contractId)).toEqual([sha256('b')]);
    const [first, second, ...more] = await claim({ kinds: ['order', 'delivery'] });
    expect(first).toMatchObject({
      kind: 'order',
      contractId: sha256('a'),
      side: 'seller',
      subjectId: '',
      epoch: 1,
      attempts: 1,
    });
    expect(second).toMatchObject({ kind: 'delivery', subjectId: 'delivery-1' });
    expect(more).toEqual([]);
    expect(Number(first!.leaseUntil - now) / 1_000_000).toBeGreaterThan(59);
    expect(Number(first!.leaseUntil - now) / 1_000_000).toBeLessThan(90);
    expect(await claim()).toEqual([]);
  });

  test('is never shared by claimers at the same time', async () => {
    await run((tx) => tx.work.add(Array.from({ length: 400 }, (_, i) => someWork(sha256(`shared ${i}`)))));
    const claimAll = async (owner: string): Promise<bigint[]> => {
      const mine: bigint[] = [];
      for (;;) {
        const claims = await claim({ owner, limit: 7 });
        if (claims.length === 0) return mine;
        mine.push(...claims.map(({ id }) => id));
      }
    };
    const all = (await Promise.all(['one', 'two', 'three'].map(claimAll))).flat();
    expect(all).toHaveLength(400);
    expect(new Set(all).size).toBe(400);
  });

  test('is skipped while another claims it, instead of being waited for', async () => {
    await run((tx) => tx.work.add([someWork(sha256('skip'))]));
    await run(async (tx) => {
      expect(await tx.work.claim({ kinds: ['order'], limit: 1, leaseMs: 1_000, owner: 'one' })).toHaveLength(1);
      expect(await claim({ owner: 'two' })).toEqual([]);
    });
  });

  test('is claimed again once its lease has ended, and the earlier claimant finds that it is not its own any more', async () => {
    await run((tx) => tx.work.add([someWork(sha256('epoch'))]));
    const earlier = await claim();
    await endLeases();
    const later = await claim({ owner: 'another' });
    // Its process died with the earlier claim: that was no attempt.
    expect(later).toMatchObject([{ id: earlier[0]!.id, epoch: 2, attempts: 1 }]);
    expect(await run((tx) => tx.work.confirm(earlier, 1_000))).toEqual([]);
    const dueAt = MOMENT;
    await run(async (tx) => {
      await tx.work.finish(earlier);
      await tx.work.postpone(earlier.map((stale) => ({ claim: stale, dueAt, progressed: true })));
    });
    expect(await rowsOf('SELECT epoch, attempts, leased_by FROM v402.work')).toEqual([
      { epoch: 2, attempts: 0, leased_by: 'another' },
    ]);
    expect(await run((tx) => tx.work.confirm(later, 1_000))).toHaveLength(1);
    await run((tx) => tx.work.finish(later));
    expect(await rowsOf('SELECT FROM v402.work')).toEqual([]);
  });

  test('is confirmed with a renewed lease, as long as nobody has taken it over', async () => {
    await run((tx) => tx.work.add([someWork(sha256('confirm'))]));
    const claims = await claim({ leaseMs: 1_000 });
    await endLeases();
    const confirmed = await run((tx) => tx.work.confirm(claims, 60_000));
    expect(confirmed).toMatchObject([{ id: claims[0]!.id, epoch: 1 }]);
    expect(confirmed[0]!.leaseUntil).toBeGreaterThan(claims[0]!.leaseUntil + 30_000_000n);
    expect(await claim()).toEqual([]);
  });

  test('behavior: a confirmation that waits behind a new claim finds nothing', async () => {
    await run((tx) => tx.work.add([someWork(sha256('race'))]));
    const earlier = await claim();
    await endLeases();
    let confirmation: Promise<readonly Claim[]> = Promise.resolve([]);
    await run(async (tx) => {
      await tx.work.claim({ kinds: ['order'], limit: 1, leaseMs: 60_000, owner: 'another' });
      confirmation = run((other) => other.work.confirm(earlier, 60_000));
      await stuckBehindALock();
    });
    expect(await confirmation).toEqual([]);
  });

  test('is renewed by whoever works on it: never what another has taken over, what was given back or what is done', async () => {
    const ids = ['ours', 'taken', 'given back', 'done'].map(sha256);
    await run((tx) => tx.work.add(ids.map((id) => someWork(id))));
    const claims = await claim({ leaseMs: 1_000 });
    const of = (id: string | undefined): Claim[] => claims.filter(({ contractId }) => contractId === id);
    const key = (id: string | undefined): Buffer => Buffer.from(id ?? '', 'hex');
    const past = "UPDATE v402.work SET lease_until = clock_timestamp() - interval '1 second' WHERE contract_id = $1";
    await rowsOf(past, key(ids[1]));
    await claim({ owner: 'another', leaseMs: 1_000 });
    const now = await run((tx) => tx.now());
    await run(async (tx) => {
      await tx.work.postpone(of(ids[2]).map((mine) => ({ claim: mine, dueAt: now, progressed: true })));
      await tx.work.finish(of(ids[3]));
    });
    await run((tx) => tx.work.renew(claims, 60_000));
    const sql = `SELECT encode(contract_id, 'hex') AS id, leased_by AS "by",
      lease_until > clock_timestamp() + interval '30 seconds' AS renewed FROM v402.work`;
    const rows = await rowsOf(sql);
    expect(rows).toHaveLength(3);
    expect(rows).toEqual(
      expect.arrayContaining([
        { id: ids[0], by: 'me', renewed: true },
        { id: ids[1], by: 'another', renewed: false },
        { id: ids[2], by: null, renewed: null },
      ]),
    );
  });

  test('behavior: under a limit no more leases run at once than that, whoever asks at the same time', async () => {
    await run((tx) => tx.work.add(Array.from({ length: 20 }, (_, index) => someWork(sha256(`limit ${index}`)))));
    const owners = ['one', 'two', 'three', 'four'];
    const claimAll = (): Promise<(readonly Claim[])[]> =>
      Promise.all(owners.map((owner) => claim({ owner, limit: 4, maxLeased: 6 })));
    const first = (await claimAll()).flat();
    expect(first).toHaveLength(6);
    expect(await claim({ maxLeased: 6 })).toEqual([]);
    await run((tx) => tx.work.finish(first.slice(0, 2)));
    expect((await claimAll()).flat()).toHaveLength(2);
    await rowsOf(
      "UPDATE v402.work SET lease_until = clock_timestamp() - interval '1 second' WHERE leased_by IS NOT NULL",
    );
    expect((await claimAll()).flat()).toHaveLength(6);
    expect(await claim({ kinds: ['delivery'], maxLeased: 6 })).toEqual([]);
  });

  test('is given back uncounted: the claim was no attempt', async () => {
    await run((tx) => tx.work.add([someWork(sha256('uncounted'))]));
    const now = await run((tx) => tx.now());
    for (const uncounted of [false, true, true]) {
      const [mine] = await claim();
      await run((tx) => tx.work.postpone([{ claim: mine!, dueAt: now, progressed: false, uncounted }]));
      expect(await rowsOf('SELECT attempts FROM v402.work')).toEqual([{ attempts: 1 }]);
    }
  });

  test('is given back: due later, as an attempt that came to nothing, or counted anew after progress', async () => {
    const ids = [sha256('later'), sha256('progressed')];
    await run((tx) => tx.work.add(ids.map((id) => someWork(id))));
    const claims = await claim();
    const now = await run((tx) => tx.now());
    await run((tx) =>
      tx.work.postpone(
        claims.map((mine) => {
          const progressed = mine.contractId === ids[1];
          return { claim: mine, dueAt: progressed ? now : now + 60_000_000n, progressed };
        }),
      ),
    );
    expect(await rowsOf('SELECT attempts, lease_until, leased_by FROM v402.work ORDER BY attempts')).toEqual([
      { attempts: 0, lease_until: null, leased_by: null },
      { attempts: 1, lease_until: null, leased_by: null },
    ]);
    expect(await claim()).toMatchObject([{ contractId: ids[1], epoch: 2, attempts: 1 }]);
  });

  test('of a settlement is dropped whole', async () => {
    const [gone, stays] = [sha256('gone'), sha256('stays')];
    const subjectId = 'leg-1';
    await run((tx) =>
      tx.work.add([someWork(gone), someWork(gone, { kind: 'payment_leg', subjectId }), someWork(stays)]),
    );
    await run((tx) => tx.work.dropOfSettlements([gone]));
    expect(await claim()).toMatchObject([{ contractId: stays }]);
    expect(await rowsOf('SELECT FROM v402.work')).toHaveLength(1);
  });
});

describe('events', () => {
  beforeEach(() => admin.query('TRUNCATE v402.outbox, v402.relay, v402.parked_stream'));
  beforeEach(() => admin.query('UPDATE v402.relay_shard SET owner = NULL, lease_until = NULL'));

  const allShards = Array.from({ length: 16 }, (_, shard) => shard);

  test('come out in the order in which they went in, the same to the byte, until they are published', async () => {
    const streams = [sha256('s1'), sha256('s2'), sha256('s3')];
    const events = Array.from({ length: 60 }, (_, i) =>
      anEvent(streams[i % 3]!, { sequence: i + 1, occurredAt: MOMENT + BigInt(i), bytes: Buffer.from([i, 0, 255]) }),
    );
    await run((tx) => tx.events.append(events));
    const stored = await run((tx) => tx.events.unpublished(allShards, 100));
    expect(stored).toEqual(events.map((event, i) => ({ ...event, place: stored[i]!.place })));
    expect((await run((tx) => tx.events.unpublished(allShards, 7))).map(({ id }) => id)).toEqual(
      events.slice(0, 7).map(({ id }) => id),
    );
    await run((tx) => tx.events.markPublished(stored.slice(0, 58)));
    expect((await run((tx) => tx.events.unpublished(allShards, 100))).map(({ id }) => id)).toEqual(
      events.slice(58).map(({ id }) => id),
    );
    expect(await rowsOf('SELECT FROM v402.event WHERE stream = $1', Buffer.from(streams[0]!, 'hex'))).toHaveLength(20);
  });

  test('come out at most 8 MiB at a time, in order, and one that is larger comes alone', async () => {
    const sizes = [4_000_000, 4_000_000, 388_608, 1, 9_000_000, 5];
    const events = sizes.map((size, i) => anEvent(sha256(`large ${i}`), { bytes: Buffer.alloc(size, i) }));
    await run((tx) => tx.events.append(events));
    const rounds: number[][] = [];
    for (;;) {
      const next = await run((tx) => tx.events.unpublished(allShards, 500));
      if (next.length === 0) break;
      rounds.push(next.map(({ bytes }) => bytes.length));
      await run((tx) => tx.events.markPublished(next));
    }
    expect(rounds).toEqual([[4_000_000, 4_000_000, 388_608], [1], [9_000_000], [5]]);
  });

  test('without a sequence have none', async () => {
    await run((tx) => tx.events.append([anEvent(sha256('rejected'), { sequence: undefined })]));
    expect(await run((tx) => tx.events.unpublished(allShards, 1))).toMatchObject([{ sequence: undefined }]);
  });

  test('of one stream are all in one shard, and the shards are used evenly', async () => {
    const streams = Array.from({ length: 800 }, (_, i) => sha256(`even ${i}`));
    await run((tx) =>
      tx.events.append(streams.flatMap((stream) => [1, 2].map((sequence) => anEvent(stream, { sequence })))),
    );
    const perShard = await Promise.all(allShards.map((shard) => run((tx) => tx.events.unpublished([shard], 2_000))));
    for (const events of perShard) {
      const counts = Map.groupBy(events, ({ stream }) => stream);
      expect([...counts.values()].every(({ length }) => length === 2)).toBe(true);
      expect(counts.size).toBeGreaterThan(20);
    }
    expect(perShard.flat()).toHaveLength(1_600);
  });

  test('error: a second event at one place of a stream', async () => {
    const stream = sha256('place');
    await run((tx) => tx.events.append([anEvent(stream)]));
    await expect(run((tx) => tx.events.append([anEvent(stream)]))).rejects.toMatchObject({
      code: 'data_error',
      context: { constraint: 'event_place' },
    });
  });

  test('of a parked stream wait, and those of others go on', async () => {
    const [stuck, other] = [sha256('stuck'), sha256('not stuck')];
    await run((tx) => tx.events.append([anEvent(stuck), anEvent(other), anEvent(stuck, { sequence: 2 })]));
    const [first] = await run((tx) => tx.events.unpublished(allShards, 1));
    await run((tx) => tx.events.park(first!, 'record_too_large'));
    await run((tx) => tx.events.park(first!, 'record_too_large'));
    expect(await run((tx) => tx.events.unpublished(allShards, 10))).toMatchObject([{ stream: other }]);
    const sql = "SELECT encode(stream, 'hex') AS stream, event_id, code FROM v402.parked_stream";
    expect(await rowsOf(sql)).toEqual([{ stream: stuck, event_id: first!.id, code: 'record_too_large' }]);
  });

  test('positions are stored with the settlement', async () => {
    const contractId = await run((tx) => insertSettlement(tx, 'position'));
    const position = { settlement: 4, payments: 3, deliveries: 2, lastEventAt: MOMENT };
    await run((tx) => tx.events.savePositions(new Map([[contractId, position]])));
    expect(await run((tx) => tx.settlements.read([contractId]))).toMatchObject([{ position }]);
    await expect(run((tx) => tx.events.savePositions(new Map([[sha256('absent'), position]])))).rejects.toMatchObject({
      code: 'row_missing',
    });
  });

  describe('shards', () => {
    const lease = (owner: string, leaseMs = 60_000): Promise<readonly number[]> =>
      run((tx) => tx.events.leaseShards(owner, leaseMs));

    /** Everybody asks in turn, twice: first those who have too many give back, then the others take. */
    const settle = async (...owners: string[]): Promise<(readonly number[])[]> => {
      for (const owner of owners) await lease(owner);
      const shares = [];
      for (const owner of owners) shares.push(await lease(owner));
      return shares;
    };

    test('one owner has them all, and keeps them', async () => {
      expect(await lease('one')).toEqual(allShards);
      expect(await lease('one')).toEqual(allShards);
    });

    test('a second one gets half, though the first had all, and never one whose lease runs', async () => {
      await lease('one');
      expect(await lease('two')).toEqual([]);
      const [one, two] = await settle('one', 'two');
      expect([one!.length, two!.length]).toEqual([8, 8]);
      expect([...one!, ...two!].sort((a, b) => a - b)).toEqual(allShards);
    });

    test('of three owners each gets five or six', async () => {
      await settle('one', 'two');
      const shares = await settle('one', 'two', 'three');
      expect(shares.map(({ length }) => length).sort()).toEqual([5, 5, 6]);
      expect(shares.flat().sort((a, b) => a - b)).toEqual(allShards);
    });

    test('of twenty owners sixteen get one', async () => {
      const owners = Array.from({ length: 20 }, (_, i) => `owner ${i}`);
      const shares = await settle(...owners);
      expect(shares.flat().sort((a, b) => a - b)).toEqual(allShards);
      expect(Math.max(...shares.map(({ length }) => length))).toBe(1);
    });

    test('those of an owner that is gone are taken when its leases end', async () => {
      await lease('gone', 200);
      expect(await lease('one')).toEqual([]);
      await sleep(250);
      expect(await lease('one')).toEqual(allShards);
    });

    test('those whose leases still run are renewed, and no others', async () => {
      await lease('one', 60_000);
      await run((tx) => tx.events.renewShards('one', 600_000));
      const renewed = `SELECT count(*)::int AS n FROM v402.relay_shard
        WHERE owner = 'one' AND lease_until > clock_timestamp() + interval '300 seconds'`;
      expect(await rowsOf(renewed)).toEqual([{ n: 16 }]);
      await rowsOf("UPDATE v402.relay_shard SET lease_until = clock_timestamp() - interval '1 second'");
      await rowsOf('DELETE FROM v402.relay');
      await run((tx) => tx.events.renewShards('one', 600_000));
      expect(await rowsOf(renewed)).toEqual([{ n: 0 }]);
      expect(await lease('two')).toEqual(allShards);
    });

    test('those that are given back are free at once', async () => {
      await settle('one', 'two');
      await run((tx) => tx.events.releaseShards('one'));
      expect((await lease('two')).toSorted((a, b) => a - b)).toEqual(allShards);
    });

    test('no two owners ever hold one at the same time, however they ask', async () => {
      const owners = ['one', 'two', 'three', 'four'];
      for (let round = 0; round < 5; round += 1) {
        const shares = await Promise.all(owners.map((owner) => lease(owner)));
        // Later callers may have been given what an earlier one gave back; nobody was given what another still holds.
        const holders = await rowsOf(
          'SELECT shard, owner FROM v402.relay_shard WHERE owner IS NOT NULL ORDER BY shard',
        );
        const claimed = shares.flatMap((shards, i) => shards.map((shard) => ({ shard, owner: owners[i] })));
        expect(claimed.toSorted((a, b) => a.shard - b.shard)).toEqual(holders);
      }
    });
  });
});
