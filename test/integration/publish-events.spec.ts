import { setTimeout as sleep } from 'node:timers/promises';
import {
  NoFaults,
  PublishEventsHandler,
  type EventPublisher,
  type PublishableEvent,
  type FaultPoint,
  type StoredEvent,
  type UnitOfWork,
} from '@v402/application';
import { RetryableError } from '@v402/domain';
import { readTopic, topicSpecs } from '@v402/messaging';
import { PgUnitOfWork } from '@v402/persistence';
import { KafkaEventPublisher } from '@v402/roles';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { DecoratedUnitOfWork } from '@v402/testing';
import { MessagingScene } from '../support/messaging.js';
import { anEvent, sha256 } from '../support/records.js';
import { complaintsOf, RecordedPublisher } from '../support/recorded-publisher.js';
import { DiesOnceAt, RecordedAlarms } from '../support/seams.js';

/** Real: PostgreSQL; Kafka where the test says so, else a recorder stands for it. */
let database: TestDatabase;
let unitOfWork: PgUnitOfWork;
let admin: pg.Client;
let publisher: RecordedPublisher;
let alarms: RecordedAlarms;

beforeEach(async () => {
  database = await createTestDatabase();
  unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName: 'relay' });
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  publisher = new RecordedPublisher();
  alarms = new RecordedAlarms();
});

afterEach(async () => {
  await unitOfWork.close();
  await admin.end();
  await database.drop();
});

interface RelayParts {
  readonly owner?: string;
  readonly batchSize?: number;
  readonly leaseMs?: number;
  readonly faults?: FaultPoint;
  readonly unitOfWork?: UnitOfWork;
  readonly publisher?: EventPublisher;
}

const relay = (parts: RelayParts = {}): PublishEventsHandler =>
  new PublishEventsHandler(
    parts.unitOfWork ?? unitOfWork,
    parts.publisher ?? publisher,
    { batchSize: parts.batchSize ?? 500, leaseMs: parts.leaseMs ?? 10_000 },
    parts.owner ?? 'relay-a',
    alarms,
    parts.faults ?? new NoFaults(),
  );

/** Events of a stream with the given sequences. */
const eventsOf = (name: string, sequences: readonly number[], topic = 'v402.settlement.events.v1'): StoredEvent[] =>
  sequences.map((sequence) =>
    anEvent(sha256(name), { sequence, topic, bytes: Buffer.from(JSON.stringify({ name, sequence })) }),
  );

const append = (...events: readonly StoredEvent[]): Promise<void> => unitOfWork.run((tx) => tx.events.append(events));

const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);

const waiting = async (): Promise<string[]> =>
  (await admin.query<{ id: string }>('SELECT event_id AS id FROM v402.outbox o ORDER BY o.id')).rows.map(
    ({ id }) => id,
  );

/** Rounds until nothing is left. @returns how many events went out */
const drain = async (handler: PublishEventsHandler): Promise<number> => {
  let published = 0;
  for (let count = await handler.handle(); count > 0; count = await handler.handle()) published += count;
  return published;
};

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

describe('an event that can never be sent', () => {
  test('parks its stream alone: what came before it is out, what comes after it stays, the others go on', async () => {
    const bad = eventsOf('bad', [1, 2, 3]);
    const good = eventsOf('good', [1, 2]);
    await append(bad[0]!, good[0]!, bad[1]!, good[1]!, bad[2]!);
    publisher.refused.add(bad[1]!.id);
    const handler = relay();
    expect(await handler.handle()).toBe(3);
    expect(complaintsOf(publisher.sent)).toEqual([]);
    expect(idsOf(publisher.sent).sort()).toEqual(idsOf([bad[0]!, ...good]).sort());
    expect(await waiting()).toEqual(idsOf([bad[1]!, bad[2]!]));
    expect((await admin.query('SELECT stream, event_id, code FROM v402.parked_stream')).rows).toEqual([
      { stream: Buffer.from(sha256('bad'), 'hex'), event_id: bad[1]!.id, code: 'record_too_large' },
    ]);
    expect(alarms.raised).toEqual([
      { code: 'stream_parked', context: { reason: 'record_too_large', stream: sha256('bad'), eventId: bad[1]!.id } },
    ]);

    await append(...eventsOf('bad', [4]), ...eventsOf('good', [3]));
    expect(await handler.handle()).toBe(1);
    expect(await waiting()).toHaveLength(3);
    expect(alarms.raised).toHaveLength(1);
  });

  test('two of them in one round park two streams', async () => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => eventsOf(name, [1, 2]));
    await append(...one!, ...two!, ...three!);
    publisher.refused.add(one![0]!.id).add(two![1]!.id);
    expect(await relay().handle()).toBe(3);
    expect(await waiting()).toEqual(idsOf([...one!, two![1]!]));
    expect(alarms.raised.map(({ context }) => context['stream'])).toEqual([sha256('one'), sha256('two')]);
    expect(complaintsOf(publisher.sent)).toEqual([]);
  });

  test('once an operator has taken it off the shelf, the stream goes on where it stopped', async () => {
    const events = eventsOf('mended', [1, 2]);
    await append(...events);
    publisher.refused.add(events[0]!.id);
    const handler = relay();
    await handler.handle();
    publisher.refused.clear();
    await admin.query('DELETE FROM v402.parked_stream');
    expect(await handler.handle()).toBe(2);
    expect(publisher.sent.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });
});

describe('two relays', () => {
  test('share the shards: each event goes out once, in order, while more of them come', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `shared-${index}`);
    let isDone = false;
    const work = async (owner: string): Promise<number> => {
      const handler = relay({ owner, batchSize: 20 });
      let published = 0;
      while (!isDone) {
        const count = await handler.handle();
        published += count;
        if (count === 0) await sleep(5);
      }
      return published;
    };
    const both = [work('relay-a'), work('relay-b')];
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

describe('Kafka is real', () => {
  let messaging: MessagingScene;

  beforeEach(() => {
    const brokers = (process.env['V402_TEST_KAFKA_BROKERS'] ?? '').split(',');
    messaging = new MessagingScene({ brokers, clientId: 'publish-events' });
  });

  afterEach(() => messaging.close());

  test('events go out under their settlement’s key, in order; one that is too large parks its stream', async () => {
    const topic = `${messaging.prefix}limited`;
    const config = { 'max.message.bytes': '1048588' };
    await messaging.topics.create([{ topic, partitions: 3, replicationFactor: 1, config }]);
    const names = Array.from({ length: 20 }, (_, index) => `kafka-${index}`);
    const large = anEvent(sha256('large'), { topic, sequence: 2, bytes: Buffer.alloc(2_000_000, 'x') });
    await append(
      ...eventsOf('large', [1], topic),
      ...names.flatMap((name) => eventsOf(name, [1, 2], topic)),
      large,
      ...eventsOf('large', [3], topic),
      ...names.flatMap((name) => eventsOf(name, [3], topic)),
    );
    expect(await drain(relay({ publisher: new KafkaEventPublisher(messaging.producer) }))).toBe(61);

    const records = await readTopic(messaging.connection, topic);
    const sent = records.map(({ key, value }) => {
      const { name, sequence } = JSON.parse(value!.toString()) as { name: string; sequence: number };
      expect(key?.toString()).toBe(sha256(name));
      return { id: `${name} ${sequence}`, stream: sha256(name), topic, sequence, bytes: value!.toString() };
    });
    expect(complaintsOf(sent)).toEqual([]);
    expect(new Set(idsOf(sent)).size).toBe(61);
    expect(records.map(({ headers }) => headers.get('content-type')?.toString())).toEqual(
      records.map(() => 'application/cloudevents+json'),
    );
    expect(await waiting()).toHaveLength(2);
    expect(alarms.raised).toMatchObject([{ code: 'stream_parked', context: { reason: 'record_too_large' } }]);
  });
});

describe('a topic that takes no events', () => {
  const clock = { now: 0, nowMs: () => clock.now };
  const PAYMENTS = 'v402.payments.v1';
  const both = (sequences: readonly number[]): StoredEvent[] =>
    sequences.flatMap((sequence) => [...eventsOf('both', [sequence], PAYMENTS), ...eventsOf('both', [sequence])]);
  let missing: boolean;

  /** Stands for Kafka without one of the topics: it refuses a request that names it, whole. */
  class WithoutPayments extends RecordedPublisher {
    requests = 0;

    override publish(events: readonly PublishableEvent[]): ReturnType<RecordedPublisher['publish']> {
      this.requests += 1;
      return missing && events.some(({ topic }) => topic === PAYMENTS)
        ? Promise.reject(new RetryableError('topic_missing', 'no topic', { topic: PAYMENTS }))
        : super.publish(events);
    }
  }

  const relayOf = (taker: WithoutPayments, batchSize = 500): PublishEventsHandler =>
    new PublishEventsHandler(
      unitOfWork,
      taker,
      { batchSize, leaseMs: 10_000 },
      'relay-a',
      alarms,
      new NoFaults(),
      clock,
    );

  beforeEach(() => {
    missing = true;
    clock.now = 0;
  });

  test('holds up its own events alone, is said once, and goes on in order when it is there', async () => {
    const taker = new WithoutPayments();
    const handler = relayOf(taker);
    await append(...both([1, 2, 3]));
    expect(await handler.handle()).toBe(3);
    expect(alarms.take()).toEqual([
      { code: 'output_topic_held', context: { topic: PAYMENTS, reason: 'topic_missing' } },
    ]);
    await append(...both([4]));
    const requests = taker.requests;
    expect(await handler.handle()).toBe(1);
    expect(taker.requests).toBe(requests + 1);
    clock.now = 6_000;
    await append(...both([5]));
    expect(await handler.handle()).toBe(1);
    expect(alarms.take()).toEqual([]);
    missing = false;
    clock.now = 12_000;
    expect(await drain(handler)).toBe(5);
    expect(taker.sent).toHaveLength(10);
    expect(complaintsOf(taker.sent)).toEqual([]);
    missing = true;
    await append(...both([6]));
    await handler.handle();
    expect(alarms.take()).toHaveLength(1);
  });

  test('does not fill every batch: what waits behind its events is found', async () => {
    const taker = new WithoutPayments();
    const handler = relayOf(taker, 10);
    await append(
      ...eventsOf(
        'old',
        Array.from({ length: 30 }, (_, index) => index + 1),
        PAYMENTS,
      ),
    );
    await append(...eventsOf('new', [1, 2]));
    expect(await handler.handle()).toBe(0);
    expect(await handler.handle()).toBe(2);
    expect(taker.sent.map(({ topic }) => topic)).toEqual(['v402.settlement.events.v1', 'v402.settlement.events.v1']);
  });

  test('is not taken for Kafka itself being away: that is thrown, and nothing is held', async () => {
    const taker = new WithoutPayments();
    taker.before = () => Promise.reject(new RetryableError('broker_unavailable', 'away'));
    missing = false;
    await append(...both([1]));
    await expect(relayOf(taker).handle()).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(alarms.raised).toEqual([]);
  });

  test('real Kafka: events of a topic that is made later come complete and in order, the others before', async () => {
    const brokers = (process.env['V402_TEST_KAFKA_BROKERS'] ?? '').split(',');
    const scene = new MessagingScene({ brokers, clientId: 'held-topic-spec' });
    const [absent, present] = [scene.topic('payments'), scene.topic('events')];
    await scene.topics.create(
      topicSpecs(scene.prefix, { partitions: 1, replicationFactor: 1 }).filter(({ topic }) => topic !== absent),
    );
    const real = new KafkaEventPublisher(scene.producer);
    const handler = new PublishEventsHandler(
      unitOfWork,
      real,
      { batchSize: 500, leaseMs: 10_000 },
      'relay-a',
      alarms,
      new NoFaults(),
      clock,
    );
    try {
      await append(...eventsOf('real', [1, 2], absent), ...eventsOf('real', [1, 2], present));
      expect(await handler.handle()).toBe(2);
      expect(await readTopic(scene.connection, present)).toHaveLength(2);
      await scene.createTopics(1);
      clock.now = 6_000;
      expect(await drain(handler)).toBe(2);
      const sequences = (await readTopic(scene.connection, absent)).map(
        ({ value }) => (JSON.parse(String(value)) as { sequence: number }).sequence,
      );
      expect(sequences).toEqual([1, 2]);
    } finally {
      await scene.close();
    }
  });
});
