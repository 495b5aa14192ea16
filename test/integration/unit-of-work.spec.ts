import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from '@v402/application';
import { PgUnitOfWork } from '@v402/persistence';
import type pg from 'pg';
import { testPostgresUrl, withAdmin, type TestDatabase } from '../support/database.js';
import { aDeal, aLeg, aRejection, aRawMessage, aSettlement, insertSettlement, sha256 } from '../support/records.js';
import { StoreScene } from '../support/store-scene.js';
import { until } from '../support/until.js';

/** Real: PostgreSQL. */
let stores: StoreScene;
let database: TestDatabase;
let unitOfWork: PgUnitOfWork;
let admin: pg.Client;
let stuckBehindALock: StoreScene['stuckBehindALock'];

beforeAll(async () => {
  stores = await StoreScene.open({ maxConnections: 8 });
  ({ admin, database, stuckBehindALock, unitOfWork } = stores);
});

afterAll(() => stores.close());

const dealCount = async (name: string): Promise<number | null> =>
  (await admin.query('SELECT FROM v402.deal WHERE negotiation_id = $1', [name])).rowCount;

const errorOf = async (run: Promise<unknown>): Promise<Error & { code?: string; context?: unknown }> => {
  try {
    await run;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It did not fail.');
};

const connectionsOf = async (applicationName: string): Promise<number | null> =>
  (
    await admin.query('SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1', [
      applicationName,
    ])
  ).rowCount;

/** Cuts off every connection of the unit of work. Resolves when all of them are gone, and the pool has seen it. */
const terminateAll = async (): Promise<number | null> => {
  const { rowCount } = await admin.query(
    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'under test'",
  );
  // Their ends came before this answer: they are read in this turn of the event loop.
  await new Promise(setImmediate);
  return rowCount;
};

describe('commit and rollback', () => {
  test('what was written is there after the commit, and the result is handed on', async () => {
    const result = await unitOfWork.run(async (tx) => {
      await tx.deals.insertMissing([aDeal('committed')]);
      return 402;
    });
    expect(result).toBe(402);
    expect(await dealCount('committed')).toBe(1);
  });

  test('an error of the use case rolls back and comes out as it is', async () => {
    const failure = new Error('no');
    const run = unitOfWork.run(async (tx) => {
      await tx.deals.insertMissing([aDeal('rolled back')]);
      throw failure;
    });
    expect(await errorOf(run)).toBe(failure);
    expect(await dealCount('rolled back')).toBe(0);
  });

  test('a use case that swallows an error of the database is not told that it has committed', async () => {
    const run = unitOfWork.run(async (tx) => {
      await tx.deals.insertMissing([aDeal('swallowed')]);
      await tx.deals.insertMissing([aDeal('too short', { key: 'ab' })]).catch(() => undefined);
    });
    expect(await errorOf(run)).toMatchObject({ kind: 'terminal', code: 'transaction_failed' });
    expect(await dealCount('swallowed')).toBe(0);
  });

  test('a statement that comes after the end is refused and does not get into the next transaction', async () => {
    const escaped = await unitOfWork.run((tx) => Promise.resolve(tx));
    expect(await errorOf(escaped.now())).toMatchObject({ kind: 'terminal', code: 'transaction_over' });
  });

  test('now is the clock of the database, and moves within a transaction', async () => {
    const { first, second } = await unitOfWork.run(async (tx) => ({ first: await tx.now(), second: await tx.now() }));
    expect(second).toBeGreaterThan(first);
    expect(Math.abs(Number(first / 1000n) - Date.now())).toBeLessThan(60_000);
  });
});

describe('refused values are data errors and are not repeated in the error', () => {
  const secret = 'secret-of-the-contract';
  const refused: [string, object, (tx: Transaction) => Promise<unknown>][] = [
    ['NUL in a text', { sqlState: '22021' }, (tx) => tx.deals.insertMissing([aDeal('nul', { buyer: `${secret}\0` })])],
    ['what is not hex', { sqlState: '22023' }, (tx) => tx.settlements.accepted([secret])],
    [
      'a key that is too short',
      { sqlState: '23514', constraint: 'deal_key_32', table: 'deal' },
      (tx) => tx.deals.insertMissing([aDeal('short', { key: 'ab', seller: secret })]),
    ],
    [
      'an amount that is none',
      { sqlState: '22P02' },
      async (tx) => {
        await tx.legs.insert([aLeg(await insertSettlement(tx, 'amount'), { amount: secret })]);
      },
    ],
    [
      'a contract that is there',
      { sqlState: '23505', constraint: 'settlement_pkey', table: 'settlement' },
      async (tx) => {
        await insertSettlement(tx, secret);
        await tx.settlements.insert([aSettlement(secret, { current: false })]);
      },
    ],
    [
      'a second current contract of a deal',
      { sqlState: '23505', constraint: 'settlement_current', table: 'settlement' },
      async (tx) => {
        await insertSettlement(tx, secret);
        await tx.settlements.insert([aSettlement(secret, { contractId: sha256('second') })]);
      },
    ],
    [
      'a text that does not fit an index',
      { sqlState: '54000' },
      async (tx) => {
        const legId = Array.from({ length: 3000 }, (_, i) => sha256(String(i))).join(secret);
        await tx.legs.insert([aLeg(await insertSettlement(tx, 'long'), { legId })]);
      },
    ],
  ];

  test.each(refused)('%s', async (_, context, work) => {
    const error = await errorOf(unitOfWork.run(work));
    expect(error).toMatchObject({ kind: 'terminal', code: 'data_error', context });
    expect(error.cause).toBeUndefined();
    expect(JSON.stringify(error) + String(error.stack)).not.toContain(secret);
  });

  test('the connection goes on working', async () => {
    await expect(unitOfWork.run((tx) => tx.now())).resolves.toBeGreaterThan(0n);
  });
});

describe('conflicts', () => {
  test('a deadlock runs again and both transactions come to their end', async () => {
    const [one, two] = [aDeal('deadlock one'), aDeal('deadlock two')];
    await unitOfWork.run((tx) => tx.deals.insertMissing([one, two]));
    let runs = 0;
    let meeting = 0;
    const won = Promise.withResolvers<undefined>();
    const inOrder = async (first: string, second: string): Promise<void> => {
      let hasLost = false;
      await unitOfWork.run(async (tx) => {
        runs += 1;
        // Else it might be back before the winner has gone on, and they would meet again.
        if (hasLost) await won.promise;
        hasLost = true;
        await tx.deals.lock([first]);
        meeting += 1;
        // In their first run both hold one lock before they ask for the other.
        while (meeting < 2) await sleep(1);
        await tx.deals.lock([second]);
      });
      won.resolve(undefined);
    };
    await Promise.all([inOrder(one.key, two.key), inOrder(two.key, one.key)]);
    expect(runs).toBe(3);
  });

  test('one that loses every time ends as transaction_conflict', async () => {
    await admin.query(`
      CREATE FUNCTION v402.always_in_conflict() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$;
      CREATE TRIGGER always_in_conflict BEFORE INSERT ON v402.deal FOR EACH ROW
        WHEN (NEW.negotiation_id = 'always in conflict') EXECUTE FUNCTION v402.always_in_conflict()`);
    let runs = 0;
    const run = unitOfWork.run((tx) => {
      runs += 1;
      return tx.deals.insertMissing([aDeal('always in conflict')]);
    });
    expect(await errorOf(run)).toMatchObject({ kind: 'retryable', code: 'transaction_conflict' });
    expect(runs).toBe(6);
  });

  test('batches that overlap in any order never deadlock', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `overlap ${i}`);
    const raws = names.map((name) => aRawMessage(name));
    const seed = Date.now() % 1_000_000;
    const random = generator(seed);
    let runs = 0;
    const batch = (): Promise<void> => {
      const picked = names
        .map((name, i) => ({ name, i }))
        .sort(() => random() - 0.5)
        .slice(0, 12);
      const deals = picked.map(({ name }) => aDeal(name));
      return unitOfWork.run(async (tx) => {
        runs += 1;
        await tx.deals.insertMissing(deals);
        await tx.deals.lock(deals.map((deal) => deal.key));
        const known = new Set(
          (await tx.settlements.lockOfDeals(deals.map((deal) => deal.key))).map((s) => s.contractId),
        );
        const fresh = picked.map(({ name }) => aSettlement(name)).filter((s) => !known.has(s.contractId));
        await tx.settlements.insert(fresh);
        await tx.settlements.countDuplicates(new Map([...known].map((id) => [id, 1])));
        await tx.evidence.keepRaw(picked.flatMap(({ i }) => raws[i] ?? []));
        await tx.evidence.recordRejections(picked.flatMap(({ i }) => raws[i] ?? []).map((raw) => aRejection(raw)));
        await tx.work.add(picked.map(({ name }) => ({ ...work, contractId: aSettlement(name).contractId })));
      });
    };
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 25; i += 1) await batch();
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    // A deadlock would have shown as a run more.
    expect({ seed, runs }).toEqual({ seed, runs: 200 });
    const { rows } = await admin.query<{ duplicates: string; occurrences: string }>(`
      SELECT (SELECT sum(duplicates + 1) FROM v402.settlement s JOIN v402.deal d ON d.key = s.deal_key
              WHERE d.negotiation_id LIKE 'overlap %') AS duplicates,
             (SELECT sum(occurrences) FROM v402.rejection) AS occurrences`);
    // 200 batches of 12: none was lost, and none counted twice.
    expect(rows).toEqual([{ duplicates: '2400', occurrences: '2400' }]);
  });

  const work = { kind: 'order', side: 'seller', subjectId: '', dueAt: undefined } as const;

  /** A linear congruential generator: the same seed gives the same batches. */
  const generator = (seed: number) => {
    let state = seed;
    return (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
  };
});

describe('a database that goes away', () => {
  test('behavior: a connection that is cut off between two statements', async () => {
    const run = unitOfWork.run(async (tx) => {
      await tx.deals.insertMissing([aDeal('cut off')]);
      await terminateAll();
      await tx.now();
    });
    expect(await errorOf(run)).toMatchObject({ kind: 'retryable', code: 'database_unavailable' });
    expect(await dealCount('cut off')).toBe(0);
    await expect(unitOfWork.run((tx) => tx.now())).resolves.toBeGreaterThan(0n);
  });

  test('behavior: a connection that is cut off while a statement runs', async () => {
    const deal = aDeal('cut off while waiting');
    await unitOfWork.run((tx) => tx.deals.insertMissing([deal]));
    await admin.query('BEGIN');
    await admin.query('SELECT FROM v402.deal WHERE negotiation_id = $1 FOR UPDATE', [deal.negotiationId]);
    const failure = errorOf(unitOfWork.run((tx) => tx.deals.lock([deal.key])));
    await stuckBehindALock();
    await terminateAll();
    await admin.query('ROLLBACK');
    expect(await failure).toMatchObject({ code: 'database_unavailable', context: { reason: '57P01' } });
    await expect(unitOfWork.run((tx) => tx.now())).resolves.toBeGreaterThan(0n);
  });

  test('behavior: a connection that is cut off before the commit', async () => {
    const run = unitOfWork.run(async (tx) => {
      await tx.deals.insertMissing([aDeal('cut off before commit')]);
      await terminateAll();
    });
    expect(await errorOf(run)).toMatchObject({ kind: 'retryable', code: 'database_unavailable' });
    expect(await dealCount('cut off before commit')).toBe(0);
  });

  test('behavior: idle connections that are cut off are replaced', async () => {
    await Promise.all([1, 2, 3].map(() => unitOfWork.run((tx) => tx.now())));
    expect(await terminateAll()).toBeGreaterThan(0);
    await expect(unitOfWork.run((tx) => tx.now())).resolves.toBeGreaterThan(0n);
  });

  test('error: nobody listens', async () => {
    const url = new URL(database.appUrl);
    url.port = '1';
    const nowhere = new PgUnitOfWork({ url: url.href, applicationName: 'nowhere' });
    const error = await errorOf(nowhere.run((tx) => tx.now()));
    await nowhere.close();
    expect(error).toMatchObject({ code: 'database_unavailable', context: { reason: 'ECONNREFUSED' } });
  });

  test('error: a password that is refused, and the sentence says what to check', async () => {
    const url = new URL(database.appUrl);
    url.password = 'wrong';
    const stranger = new PgUnitOfWork({ url: url.href, applicationName: 'stranger' });
    const error = await errorOf(stranger.run((tx) => tx.now()));
    await stranger.close();
    expect(error).toMatchObject({
      kind: 'retryable',
      code: 'database_authentication_failed',
      message: 'The database refuses the login: check the role, the password and the sslmode in its URL.',
      context: { sqlState: '28P01' },
    });
  });

  test('error: a database that is empty, and one that does not exist, name the migrations', async () => {
    const name = `v402_empty_${randomUUID().replaceAll('-', '')}`;
    const url = new URL(testPostgresUrl());
    url.pathname = `/${name}`;
    const deals = [aDeal('nowhere')];
    const expected = {
      kind: 'retryable',
      code: 'database_not_migrated',
      message: 'The database is not what this release needs: apply the migrations: v402 migrate.',
    };
    const empty = new PgUnitOfWork({ url: url.href, applicationName: 'empty' });
    expect(await errorOf(empty.run((tx) => tx.deals.insertMissing(deals)))).toMatchObject({
      ...expected,
      context: { sqlState: '3D000' },
    });
    await withAdmin((superuser) => superuser.query(`CREATE DATABASE ${name}`));
    try {
      expect(await errorOf(empty.run((tx) => tx.deals.insertMissing(deals)))).toMatchObject({
        ...expected,
        context: { sqlState: '42P01' },
      });
    } finally {
      await empty.close();
      await withAdmin((superuser) => superuser.query(`DROP DATABASE ${name} WITH (FORCE)`));
    }
  });

  test('error: a server that takes no writes', async () => {
    const url = new URL(database.appUrl);
    url.searchParams.set('options', '-c default_transaction_read_only=on');
    const standby = new PgUnitOfWork({ url: url.href, applicationName: 'standby' });
    const error = await errorOf(standby.run((tx) => tx.deals.insertMissing([aDeal('read-only')])));
    await standby.close();
    expect(error).toMatchObject({ code: 'database_unavailable', context: { reason: '25006' } });
  });

  test('error: a statement that takes too long is cancelled, and the connection goes on working', async () => {
    const deal = aDeal('slow');
    await unitOfWork.run((tx) => tx.deals.insertMissing([deal]));
    const hasty = new PgUnitOfWork({
      url: database.appUrl,
      applicationName: 'hasty',
      // Long enough for a statement that waits for nothing, on a machine of any speed.
      statementTimeoutMs: 5_000,
      maxConnections: 1,
    });
    await admin.query('BEGIN');
    await admin.query('SELECT FROM v402.deal WHERE negotiation_id = $1 FOR UPDATE', [deal.negotiationId]);
    const error = await errorOf(hasty.run((tx) => tx.deals.lock([deal.key])));
    await admin.query('ROLLBACK');
    expect(error).toMatchObject({ kind: 'retryable', code: 'statement_timeout' });
    await expect(hasty.run((tx) => tx.deals.lock([deal.key]))).resolves.toBeUndefined();
    await hasty.close();
  });

  test('error: a transaction that does nothing for too long loses its connection', async () => {
    const idle = new PgUnitOfWork({ url: database.appUrl, applicationName: 'idle', idleInTransactionTimeoutMs: 100 });
    const run = idle.run(async (tx) => {
      await tx.now();
      await until(async () => (await connectionsOf('idle')) === 0);
      await tx.now();
    });
    expect(await errorOf(run)).toMatchObject({ kind: 'retryable', code: 'database_unavailable' });
    await idle.close();
  });

  test('error: what the role may not do is retryable, since a migration may be under way', async () => {
    const stranger = new PgUnitOfWork({ url: database.orderbookUrl, applicationName: 'stranger' });
    const error = await errorOf(stranger.run((tx) => tx.deals.insertMissing([aDeal('stranger')])));
    await stranger.close();
    expect(error).toMatchObject({
      kind: 'retryable',
      code: 'database_permission_denied',
      context: { sqlState: '42501' },
    });
  });
});

test('a deal that is locked waits for nobody who only refers to it', async () => {
  const deal = aDeal('referred to');
  await unitOfWork.run((tx) => tx.deals.insertMissing([deal]));
  await unitOfWork.run(async (tx) => {
    await tx.deals.lock([deal.key]);
    await unitOfWork.run((other) => other.settlements.insert([aSettlement('referred to')]));
  });
  expect(await unitOfWork.run((tx) => tx.settlements.accepted([aSettlement('referred to').contractId]))).toHaveProperty(
    'size',
    1,
  );
});
