import { NoFaults, PublishEventsHandler, type PublishableEvent, type StoredEvent } from '@v402/application';
import { RetryableError } from '@v402/domain';
import { readTopic, topicSpecs } from '@v402/messaging';
import type { PgUnitOfWork } from '@v402/persistence';
import { KafkaEventPublisher } from '@v402/roles';
import type pg from 'pg';
import { MessagingScene, testConnection } from '../support/messaging.js';
import { complaintsOf, RecordedPublisher } from '../support/recorded-publisher.js';
import { anEvent, sha256 } from '../support/records.js';
import { drain, eventsOf, idsOf, RelayScene } from '../support/relay-scene.js';
import type { RecordedAlarms } from '../support/seams.js';

/** Events that Kafka does not take. Real: PostgreSQL; Kafka where the test says so, else a recorder stands for it. */
let relays: RelayScene;
let admin: pg.Client;
let alarms: RecordedAlarms;
let append: RelayScene['append'];
let publisher: RecordedPublisher;
let relay: RelayScene['relay'];
let unitOfWork: PgUnitOfWork;
let waiting: RelayScene['waiting'];

beforeEach(async () => {
  relays = await RelayScene.open();
  ({ admin, alarms, append, publisher, relay, unitOfWork, waiting } = relays);
});

afterEach(() => relays.close());

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

describe('Kafka is real', () => {
  let messaging: MessagingScene;

  beforeEach(() => {
    messaging = new MessagingScene(testConnection('publish-events'));
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

  test('and nothing else waits: each round fails with why, until another relay has published it', async () => {
    const handler = relayOf(new WithoutPayments());
    await append(...eventsOf('stuck', [1, 2], PAYMENTS));
    expect(await handler.handle()).toBe(0);
    await expect(handler.handle()).rejects.toMatchObject({ code: 'topic_missing' });
    clock.now = 6_000;
    await expect(handler.handle()).rejects.toMatchObject({ code: 'topic_missing' });
    expect(alarms.take()).toHaveLength(1);

    // Its shards are free for one that may write to the topic.
    expect(await relay({ owner: 'relay-b' }).handle()).toBe(2);
    clock.now = 12_000;
    expect(await handler.handle()).toBe(0);
    expect(await handler.handle()).toBe(0);
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
    const scene = new MessagingScene(testConnection('held-topic-spec'));
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
