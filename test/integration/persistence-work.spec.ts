import type { Claim, Transaction } from '@v402/application';
import type pg from 'pg';
import { MOMENT, sha256, someWork } from '../support/records.js';
import { StoreScene } from '../support/store-scene.js';

/** Real: PostgreSQL. The store of work, as its port describes it. */
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
    const claims = await claim({ leaseMs: 20_000 });
    const of = (id: string | undefined): Claim[] => claims.filter(({ contractId }) => contractId === id);
    const key = (id: string | undefined): Buffer => Buffer.from(id ?? '', 'hex');
    const past = "UPDATE v402.work SET lease_until = clock_timestamp() - interval '1 second' WHERE contract_id = $1";
    await rowsOf(past, key(ids[1]));
    await claim({ owner: 'another', leaseMs: 20_000 });
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
