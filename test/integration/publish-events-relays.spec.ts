import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishEventsHandler } from '@v402/application';
import { RetryableError } from '@v402/domain';
import type { PgUnitOfWork } from '@v402/persistence';
import { DecoratedUnitOfWork } from '@v402/testing';
import { complaintsOf, RecordedPublisher } from '../support/recorded-publisher.js';
import { drain, eventsOf, idsOf, RelayScene } from '../support/relay-scene.js';
import { DiesOnceAt, type RecordedAlarms } from '../support/seams.js';

/** One relay, and two of them. Real: PostgreSQL; a recorder stands for Kafka. */
let relays: RelayScene;
let alarms: RecordedAlarms;
let append: RelayScene['append'];
let publisher: RecordedPublisher;
let relay: RelayScene['relay'];
let unitOfWork: PgUnitOfWork;
let waiting: RelayScene['waiting'];

beforeEach(async () => {
  relays = await RelayScene.open();
  ({ alarms, append, publisher, relay, unitOfWork, waiting } = relays);
});

afterEach(() => relays.close());

describe('one relay', () => {
  test('publishes every stream by sequence, on each of its topics, and empties the outbox', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `stream-${index}`);
    for (const sequence of [1, 2, 3]) {
      await append(
        ...names.flatMap((name) => [
          ...eventsOf(name, [sequence * 2 - 1, sequence * 2]),
          ...eventsOf(name, [sequence], 'v402.payments.v1'),
        ]),
      );
    }
    expect(await drain(relay({ batchSize: 25 }))).toBe(108);
    expect(publisher.sent).toHaveLength(108);
    expect(complaintsOf(publisher.sent)).toEqual([]);
    expect(await waiting()).toEqual([]);
  });

  test('has nothing to do where nothing waits', async () => {
    expect(await relay().handle()).toBe(0);
    expect(publisher.sent).toEqual([]);
  });

  test('C7, a crash between publishing and marking: all is sent again with the same ids and bytes', async () => {
    const events = [...eventsOf('one', [1, 2]), ...eventsOf('two', [1])];
    await append(...events);
    const dies = relay({ faults: new DiesOnceAt('C7'), leaseMs: 100 });
    await expect(dies.handle()).rejects.toThrow('died at C7');
    expect(await waiting()).toEqual(idsOf(events));

    const next = relay({ owner: 'relay-b' });
    while ((await waiting()).length > 0) await next.handle();
    const first = publisher.sent.slice(0, 3);
    expect(first.map(({ id }) => id).sort()).toEqual(idsOf(events).sort());
    expect(new Set(publisher.sent.slice(3).map((event) => JSON.stringify(event)))).toEqual(
      new Set(first.map((event) => JSON.stringify(event))),
    );
    expect(complaintsOf(publisher.sent)).toEqual([]);
  });

  test('the broker is away: the error says to come back, and later all goes out in order', async () => {
    await append(...eventsOf('one', [1, 2, 3]));
    publisher.before = () => Promise.reject(new RetryableError('broker_unavailable', 'Kafka is away.'));
    const handler = relay();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(handler.handle()).rejects.toMatchObject({ kind: 'retryable', code: 'broker_unavailable' });
    }
    await append(...eventsOf('one', [4]));
    publisher.before = () => Promise.resolve();
    expect(await handler.handle()).toBe(4);
    expect(publisher.sent.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(alarms.raised).toEqual([]);
  });
});

describe('two relays', () => {
  test('share the shards: each event goes out once, in order, while more of them come', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `shared-${index}`);
    let isDone = false;
    const handlers = ['relay-a', 'relay-b'].map((owner) => relay({ owner, batchSize: 20 }));
    // The first gives half of the shards back when it has seen the second: before that there is nothing to share.
    for (const handler of [...handlers, ...handlers]) await handler.handle();
    const work = async (handler: PublishEventsHandler): Promise<number> => {
      let published = 0;
      while (!isDone) {
        const count = await handler.handle();
        published += count;
        if (count === 0) await sleep(5);
      }
      return published;
    };
    const both = handlers.map(work);
    for (let sequence = 1; sequence <= 15; sequence += 1) {
      await append(...names.flatMap((name) => eventsOf(name, [sequence])));
      await sleep(10);
    }
    while ((await waiting()).length > 0) await sleep(5);
    isDone = true;
    const published = await Promise.all(both);
    expect(published[0]! + published[1]!).toBe(600);
    expect(Math.min(...published)).toBeGreaterThan(0);
    expect(publisher.sent).toHaveLength(600);
    expect(complaintsOf(publisher.sent)).toEqual([]);
  });

  test('a relay that stops hands its shards over at once', async () => {
    const first = relay({ leaseMs: 60_000 });
    await first.handle();
    await first.stop();
    await append(...eventsOf('handed-over', [1, 2]));
    expect(await relay({ owner: 'relay-b' }).handle()).toBe(2);
  });

  test('one that paused until its lease was taken repeats only what is behind already', async () => {
    await append(...eventsOf('one', [1, 2]), ...eventsOf('two', [1]));
    let resume: () => void = () => undefined;
    const paused = new RecordedPublisher();
    const reached = new Promise<void>((resolve) => {
      paused.before = () => {
        resolve();
        return new Promise<void>((go) => (resume = go));
      };
    });
    // A process that is paused renews nothing.
    const asleep = new DecoratedUnitOfWork(unitOfWork, { events: () => ({ renewShards: () => Promise.resolve() }) });
    const zombie = relay({ unitOfWork: asleep, publisher: paused, leaseMs: 50 }).handle();
    await reached;
    await append(...eventsOf('one', [3]));
    const heir = relay({ owner: 'relay-b' });
    while ((await waiting()).length > 0) await heir.handle();
    expect(publisher.sent).toHaveLength(4);

    await append(...eventsOf('one', [4]));
    resume();
    await zombie;
    expect(complaintsOf([...publisher.sent, ...paused.sent])).toEqual([]);
    expect(idsOf(paused.sent).every((id) => idsOf(publisher.sent).includes(id))).toBe(true);
    // What it has marked was gone already; what came since is still there.
    expect(await heir.handle()).toBe(1);
    expect(complaintsOf([...publisher.sent.slice(0, 4), ...paused.sent, ...publisher.sent.slice(4)])).toEqual([]);
  });
});

describe('guards removed', () => {
  test('guard removed: the outbox order. A sequence goes backwards', async () => {
    await append(...eventsOf('one', [1, 2, 3]));
    const shuffled = new DecoratedUnitOfWork(unitOfWork, {
      events: (real) => ({
        unpublished: async (shards, limit) => [...(await real.unpublished(shards, limit))].reverse(),
      }),
    });
    expect(await relay({ unitOfWork: shuffled }).handle()).toBe(3);
    expect(complaintsOf(publisher.sent)).not.toEqual([]);
  });

  test('guard removed: the lease. Two relays publish the same events', async () => {
    const unleased = new DecoratedUnitOfWork(unitOfWork, {
      events: () => ({ leaseShards: () => Promise.resolve(Array.from({ length: 16 }, (_, shard) => shard)) }),
    });
    await append(...eventsOf('one', [1, 2]));
    let goesOn: () => void = () => undefined;
    const slow = new RecordedPublisher();
    const reached = new Promise<void>((resolve) => {
      slow.before = () => {
        resolve();
        return new Promise<void>((go) => (goesOn = go));
      };
    });
    const first = relay({ unitOfWork: unleased, publisher: slow }).handle();
    await reached;
    await relay({ unitOfWork: unleased, owner: 'relay-b' }).handle();
    goesOn();
    await first;
    expect(idsOf(slow.sent)).toEqual(idsOf(publisher.sent));
  });

  test('guard removed: the mark after the acknowledgement. What a crash interrupts is lost', async () => {
    const events = eventsOf('one', [1, 2]);
    await append(...events);
    const markedEarly = new DecoratedUnitOfWork(unitOfWork, {
      events: (real) => ({
        unpublished: async (shards, limit) => {
          const read = await real.unpublished(shards, limit);
          await real.markPublished(read);
          return read;
        },
      }),
    });
    publisher.before = () => Promise.reject(new RetryableError('broker_unavailable', 'Kafka is away.'));
    await expect(relay({ unitOfWork: markedEarly }).handle()).rejects.toMatchObject({ code: 'broker_unavailable' });
    publisher.before = () => Promise.resolve();
    await drain(relay());
    expect(publisher.sent).toEqual([]);
  });
});
