import type { AcceptContractsHandler, IntakeCounts } from '@v402/application';
import { rejectionKey } from '@v402/application';
import { DecoratedUnitOfWork } from '@v402/testing';
import { IntakeProcess } from '../support/intake-process.js';
import { agreed, CONTRACTS, IntakeScene, variant } from '../support/intake-scene.js';
import { aDeal, sha256 } from '../support/records.js';
import { DiesOnceAt, StopsAt } from '../support/seams.js';
import { BUYER, SELLER } from '../support/trade.js';

/** Several intakes at once, and some that die. Real: PostgreSQL, signatures, the other processes and their deaths. */
let scene: IntakeScene;
let processes: IntakeProcess[];

beforeEach(async () => {
  scene = await IntakeScene.open();
  processes = [];
});

afterEach(async () => {
  await Promise.all(processes.map((each) => each.kill()));
  await scene.close();
});

const startProcess = (partition: number, stopAt?: 'C1' | 'C2'): IntakeProcess => {
  const options = { databaseUrl: scene.database.appUrl, partition };
  const started = new IntakeProcess(stopAt === undefined ? options : { ...options, stopAt });
  processes.push(started);
  return started;
};

/** Hands one value to the handler as a record of a partition of its own. */
const handleOn = (
  handler: AcceptContractsHandler,
  partition: number,
  value: Uint8Array | string,
): Promise<IntakeCounts> =>
  handler.handle([scene.message(value, { coordinates: { topic: CONTRACTS, partition, offset: 0n } })]);

const rotated = <T>(values: readonly T[], by: number): T[] => [...values.slice(by), ...values.slice(0, by)];

const batchesOf = <T>(values: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(values.length / size) }, (_, index) => values.slice(index * size, (index + 1) * size));

const deadlocks = async (): Promise<number> => {
  const sql = 'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()';
  return (await scene.sql<{ deadlocks: number }>(sql))[0]!.deadlocks;
};

describe('two processes', () => {
  test('that handle the same 200 contracts at once, in another order, three times each, settle each once', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `shared-${index}`);
    const envelopes = names.map((negotiationId) => agreed({ negotiationId }).envelope);
    const orders = [envelopes, [...envelopes].reverse()];
    const answers = await Promise.all(
      orders.map(async (order, partition) => {
        const child = startProcess(partition);
        const rounds = [0, 70, 140].flatMap((by) => batchesOf(rotated(order, by), 40));
        const counts: unknown[] = [];
        for (const batch of rounds) counts.push(await child.handle(batch));
        return counts as IntakeCounts[];
      }),
    );
    const total = (key: keyof IntakeCounts): number => answers.flat().reduce((sum, counts) => sum + counts[key], 0);
    expect([total('accepted'), total('duplicates'), total('rejected'), total('quarantined')]).toEqual([
      200, 1000, 0, 0,
    ]);
    expect(await scene.count('settlement WHERE current')).toBe(200);
    expect(await scene.sql('SELECT sum(duplicates)::int AS n FROM v402.settlement')).toEqual([{ n: 1000 }]);
    for (const table of ['deal', 'settlement', 'event', 'outbox', 'decision', 'raw_message']) {
      expect([table, await scene.count(table)]).toEqual([table, 200]);
    }
    for (const table of ['order_placement', 'payment_leg', 'delivery', 'work']) {
      expect([table, await scene.count(table)]).toEqual([table, 400]);
    }
    await Promise.all(processes.map((each) => each.kill()));
    expect(await deadlocks()).toBe(0);
  });

  test('that race with two contracts of one deal accept exactly one of them, 100 times', async () => {
    const [left, right] = [startProcess(0), startProcess(1)];
    const outcomes: unknown[] = [];
    for (let round = 0; round < 100; round += 1) {
      const negotiationId = `race-${round}`;
      const [one, other] = ['one', 'other'].map((name) => variant(name, { negotiationId }).envelope);
      const counts = await Promise.all([left.handle([one!]), right.handle([other!])]);
      outcomes.push(...(counts as IntakeCounts[]).map(({ accepted, quarantined }) => [accepted, quarantined].join()));
    }
    expect(outcomes.sort()).toEqual([...Array<string>(100).fill('0,1'), ...Array<string>(100).fill('1,0')]);
    expect([await scene.count('settlement WHERE current'), await scene.count('settlement')]).toEqual([100, 100]);
    expect([await scene.count("quarantine WHERE reason = 'equivocation'"), await scene.count('hold')]).toEqual([
      100, 100,
    ]);
    expect(await deadlocks()).toBe(0);
  });
});

describe('a crash', () => {
  const batch = (): Uint8Array[] => [
    agreed({ negotiationId: 'crash-1' }).envelope,
    variant('conflict', { negotiationId: 'crash-1' }).envelope,
    agreed({ negotiationId: 'crash-2' }).envelope,
    Buffer.from('garbage'),
  ];
  const DONE = { accepted: 2, quarantined: 1, rejected: 1, duplicates: 0 };
  const AGAIN = { accepted: 0, quarantined: 1, rejected: 1, duplicates: 2 };

  test('C1, an error before the commit: nothing is written, and redelivery does all', async () => {
    const before = await scene.content();
    const messages = batch().map((value) => scene.message(value));
    const handler = scene.handlerWith({ faults: new DiesOnceAt('C1') });
    await expect(handler.handle(messages)).rejects.toThrow('died at C1');
    expect(await scene.content()).toEqual(before);
    expect(scene.wake.hints).toEqual([]);
    expect(await handler.handle(messages)).toMatchObject(DONE);
  });

  test('C1, killed before the commit: nothing is written, and another process does all', async () => {
    const before = await scene.content();
    const child = startProcess(0, 'C1');
    expect(await child.handle(batch())).toBe('C1');
    await child.kill();
    expect(await scene.content()).toEqual(before);
    expect(await startProcess(1).handle(batch())).toMatchObject(DONE);
  });

  test('C2, killed after the commit and before the offset: redelivery has no effect', async () => {
    const child = startProcess(0, 'C2');
    expect(await child.handle(batch())).toBe('C2');
    await child.kill();
    const before = await scene.content();
    expect(await startProcess(0).handle(batch())).toMatchObject(AGAIN);
    expect(await scene.content()).toEqual(before);
  });
});

describe('the deal lock', () => {
  const [one, other] = ['one', 'other'].map((name) => variant(name, { negotiationId: 'contested' }).envelope) as [
    Uint8Array,
    Uint8Array,
  ];
  const DEAL = sha256(JSON.stringify(['contested', BUYER, SELLER]));
  const currents = (): Promise<number> => scene.count('settlement WHERE current');

  /** The row is there already, as after a refused amendment: inserting it makes nobody wait. */
  beforeEach(async () => {
    await scene.unitOfWork.run((tx) =>
      tx.deals.insertMissing([aDeal('contested', { key: DEAL, buyer: BUYER, seller: SELLER })]),
    );
  });

  test('makes the second one wait until the first has committed, and then it sees it', async () => {
    const faults = new StopsAt('C1');
    const first = handleOn(scene.handlerWith({ faults }), 0, one);
    await faults.reached;
    const second = handleOn(scene.handler, 1, other);
    await scene.untilWaiting('intake');
    faults.release();
    expect(await first).toMatchObject({ accepted: 1 });
    expect(await second).toMatchObject({ accepted: 0, quarantined: 1 });
    expect(await currents()).toBe(1);
  });

  const withoutLock = (): DecoratedUnitOfWork =>
    new DecoratedUnitOfWork(scene.unitOfWork, { deals: () => ({ lock: () => Promise.resolve() }) });

  test('guard removed: the deal lock and its backstop. Both contracts of a deal become current', async () => {
    await scene.sql('DROP INDEX v402.settlement_current');
    const faults = new StopsAt('C1', 2);
    const handler = scene.handlerWith({ faults, unitOfWork: withoutLock() });
    const both = [handleOn(handler, 0, one), handleOn(handler, 1, other)];
    await faults.reached;
    faults.release();
    expect(await Promise.all(both)).toMatchObject([{ accepted: 1 }, { accepted: 1 }]);
    expect(await currents()).toBe(2);
  });

  test('guard removed: the deal lock alone. The backstop stops the second, but its equivocation goes unseen', async () => {
    const faults = new StopsAt('C1');
    const first = handleOn(scene.handlerWith({ faults, unitOfWork: withoutLock() }), 0, one);
    await faults.reached;
    const second = handleOn(scene.handlerWith({ unitOfWork: withoutLock() }), 1, other);
    await scene.untilWaiting('intake');
    faults.release();
    expect([await first, await second]).toMatchObject([{ accepted: 1 }, { quarantined: 0, undecidable: 1 }]);
    expect([await currents(), await scene.count('hold')]).toEqual([1, 0]);
  });
});

describe('the rejection key', () => {
  const garbage = 'the same garbage on two partitions';
  const counts = async (): Promise<unknown> => ({
    rejections: await scene.sql('SELECT occurrences FROM v402.rejection'),
    events: await scene.count('event'),
    undecidable: await scene.count("quarantine WHERE reason = 'undecidable_message'"),
  });

  test('makes the second one wait, and then it counts', async () => {
    const faults = new StopsAt('C1');
    const first = handleOn(scene.handlerWith({ faults }), 0, garbage);
    await faults.reached;
    const second = handleOn(scene.handler, 1, garbage);
    await scene.untilWaiting('intake');
    faults.release();
    expect([await first, await second]).toMatchObject([{ rejected: 1 }, { rejected: 1 }]);
    expect(await counts()).toEqual({ rejections: [{ occurrences: 2 }], events: 1, undecidable: 0 });
  });

  test('guard removed: the rejection key. A redelivered refusal passes for a new one', async () => {
    const unitOfWork = new DecoratedUnitOfWork(scene.unitOfWork, {
      evidence: (real) => ({
        recordRejections: async (rejections) => {
          await real.recordRejections(rejections);
          return new Set(rejections.map(rejectionKey));
        },
      }),
    });
    const handler = scene.handlerWith({ unitOfWork });
    await handleOn(handler, 0, garbage);
    // An event's id follows from what it tells, so the repetition ends there: as a message that nobody can decide.
    expect(await handleOn(handler, 0, garbage)).toMatchObject({ rejected: 0, undecidable: 1 });
    expect(await counts()).toMatchObject({ rejections: [{ occurrences: 1 }], events: 2, undecidable: 1 });
  });
});
