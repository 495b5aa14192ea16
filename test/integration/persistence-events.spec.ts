import type pg from 'pg';
import { anEvent, insertSettlement, MOMENT, sha256 } from '../support/records.js';
import { StoreScene } from '../support/store-scene.js';

/** Real: PostgreSQL. The store of events, as its port describes it. */
let stores: StoreScene;
let admin: pg.Client;
let rowsOf: StoreScene['rowsOf'];
let run: StoreScene['run'];

beforeAll(async () => {
  stores = await StoreScene.open();
  ({ admin, rowsOf, run } = stores);
});

afterAll(() => stores.close());

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
    const lease = (owner: string): Promise<readonly number[]> => run((tx) => tx.events.leaseShards(owner, 60_000));

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
      await lease('gone');
      expect(await lease('one')).toEqual([]);
      await rowsOf("UPDATE v402.relay_shard SET lease_until = clock_timestamp() - interval '1 second'");
      await rowsOf("UPDATE v402.relay SET live_until = clock_timestamp() - interval '1 second' WHERE owner = 'gone'");
      expect(await lease('one')).toEqual(allShards);
    });

    test('those whose leases still run are renewed, and no others', async () => {
      await lease('one');
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
