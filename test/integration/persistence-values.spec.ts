import { instantOfMicros } from '@v402/domain';
import { PgUnitOfWork } from '@v402/persistence';
import type { TestDatabase } from '../support/database.js';
import { aDelivery, aLeg, anOrder, insertSettlement, MOMENT } from '../support/records.js';
import { StoreScene } from '../support/store-scene.js';

/** Real: PostgreSQL. Orders, legs and deliveries are read back as they were written, each value to its last digit. */
let stores: StoreScene;
let database: TestDatabase;
let rowsOf: StoreScene['rowsOf'];
let run: StoreScene['run'];

beforeAll(async () => {
  stores = await StoreScene.open();
  ({ database, rowsOf, run } = stores);
});

afterAll(() => stores.close());

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
