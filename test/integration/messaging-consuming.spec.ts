/**
 * The Kafka transport. Real: the broker, NestJS, kafkajs. Each test has topics and groups of its own.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError, TerminalError } from '@v402/domain';
import { KafkaBatchStrategy, readTopic, topicSpecs, TOPICS, type KafkaBatch } from '@v402/messaging';
import { sendAnyHeaders } from '../support/any-headers.js';
import { FAST, MessagingScene, numbers, range, recorder, sorted, testConnection } from '../support/messaging.js';
import { until } from '../support/until.js';

const connection = testConnection('messaging-spec');
let scene: MessagingScene;

beforeEach(() => {
  scene = new MessagingScene(connection);
});

afterEach(async () => {
  await scene.close();
});

describe('consuming in batches', () => {
  it('hands every value on as it arrived: garbage, empty, tombstone, NUL, 10 MB', async () => {
    await scene.createTopics(1);
    const values = [
      Buffer.from('{"not json'),
      Buffer.alloc(0),
      null,
      Buffer.from([0x61, 0x00, 0xff, 0xfe]),
      Buffer.alloc(10_000_000, 'x'),
      Buffer.from('last'),
    ];
    const { take, records } = recorder();
    await scene.consume(take);
    await scene.producer.send(
      values.map((value) => ({ topic: scene.contracts, key: 'k', value, headers: { traceparent: '00-1' } })),
    );
    await until(() => records.length >= values.length);
    expect(records.map(({ value }) => value?.length ?? null)).toEqual(values.map((value) => value?.length ?? null));
    expect(records.every(({ value }, i) => (value === null ? values[i] === null : value.equals(values[i]!)))).toBe(
      true,
    );
    expect(records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
    expect(records[0]!.headers.get('traceparent')?.toString()).toBe('00-1');
    expect(records[0]!.key?.toString()).toBe('k');
  });

  it('takes whatever a producer may write into headers', async () => {
    await scene.createTopics(1);
    const { take, records } = recorder();
    const running = await scene.consume(take);
    const hostile = {
      traceparent: null,
      '': Buffer.from('nameless'),
      many: [null, Buffer.from('first'), Buffer.from('last'), null],
      binary: Buffer.from([0x00, 0xff, 0xfe]),
      empty: Buffer.alloc(0),
      constructor: null,
      ['__proto__']: Buffer.from('inherited'),
    };
    const record = { topic: scene.contracts, key: 'k', value: Buffer.from('0') };
    await sendAnyHeaders(scene.producer, { ...record, headers: hostile });
    await scene.producer.send([{ ...record, value: Buffer.from('1') }]);
    await until(() => records.length >= 2);
    expect(numbers(records)).toEqual([0, 1]);
    expect([...records[0]!.headers].map(([name, value]) => [name, value.toString('latin1')])).toEqual([
      ['', 'nameless'],
      ['many', 'last'],
      ['binary', '\0\xff\xfe'],
      ['empty', ''],
      ['__proto__', 'inherited'],
    ]);
    expect(running.progress().failing).toEqual([]);
  });

  it('takes as many headers as a producer may write', async () => {
    await scene.createTopics(1);
    const { take, records } = recorder();
    await scene.consume(take);
    const headers = Object.fromEntries(range(50_000).map((n) => [`header-${n}`, String(n)]));
    await scene.producer.send([{ topic: scene.contracts, key: 'k', value: Buffer.from('0'), headers }]);
    await until(() => records.length === 1);
    expect(records[0]!.headers.size).toBe(50_000);
    expect(records[0]!.headers.get('header-49999')?.toString()).toBe('49999');
  });

  it('hands nothing on while it must not, and what it holds at once stays within the limits, however much waits', async () => {
    await scene.createTopics(6);
    await scene.sendNumbers(0, 3_000);
    const [partitionsAtOnce, maxMessages] = [2, 20];
    let [isOpen, held, most, wrong] = [false, 0, 0, 0];
    const { take, records } = recorder();
    const handle = async (batch: KafkaBatch): Promise<void> => {
      if (!isOpen) wrong += 1;
      most = Math.max(most, (held += batch.messages.length));
      await delay(1);
      held -= batch.messages.length;
      await take(batch);
      // It closes again and again: what is under way ends, and nothing new begins.
      if (records.length % 7 === 0) isOpen = false;
    };
    const settings = { partitionsAtOnce, admitPollMs: 10, chunk: { maxMessages, maxBytes: 1_000_000 } };
    const running = await scene.consume(handle, settings);
    running.admitWhile(() => isOpen);
    await until(() => running.progress().assigned.length === 6);
    expect([records.length, running.progress().handling]).toEqual([0, 0]);
    const opens = setInterval(() => {
      if (held === 0) isOpen = true;
    }, 20);
    try {
      await until(() => records.length >= 3_000);
    } finally {
      clearInterval(opens);
    }
    expect(sorted(numbers(records))).toEqual(range(3_000));
    expect(most).toBeLessThanOrEqual(partitionsAtOnce * maxMessages);
    expect(wrong).toBe(0);
    expect(running.progress().failing).toEqual([]);
  });

  it("gives the broker's time, and says that it is the broker's", async () => {
    await scene.createTopics(1);
    const { take, records } = recorder();
    await scene.consume(take);
    const beforeMs = Date.now();
    await scene.sendNumbers(0, 1);
    await until(() => records.length === 1);
    expect(records[0]!.timestampType).toBe('LogAppendTime');
    expect(records[0]!.timestampMs).toBeGreaterThanOrEqual(beforeMs - 1_000);
    expect(records[0]!.timestampMs).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  it("does not trust the time of a topic that keeps the producer's", async () => {
    const [spec] = topicSpecs(scene.prefix, { partitions: 1, replicationFactor: 1 });
    await scene.topics.create([{ ...spec!, config: {} }]);
    const { take, records } = recorder();
    await scene.consume(take);
    await scene.sendNumbers(0, 1);
    await until(() => records.length === 1);
    expect(records[0]!.timestampType).toBe('CreateTime');
  });

  it('keeps a handler call within its limits and starts at the beginning of the topic', async () => {
    await scene.createTopics(1);
    await scene.sendNumbers(0, 25);
    const sizes: number[] = [];
    await scene.consume(
      ({ messages }) => {
        sizes.push(messages.length);
        return Promise.resolve();
      },
      { chunk: { maxMessages: 10, maxBytes: 1_000_000 } },
    );
    await until(() => sizes.reduce((sum, size) => sum + size, 0) === 25);
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('goes on after what was handled when it starts again', async () => {
    await scene.createTopics(2);
    await scene.sendNumbers(0, 50);
    const first = recorder();
    const before = await scene.consume(first.take);
    await until(() => first.records.length === 50);
    await before.close();
    await scene.sendNumbers(50, 60);
    const second = recorder();
    await scene.consume(second.take);
    await until(() => second.records.length >= 10);
    expect(sorted(numbers(second.records))).toEqual(range(60).slice(50));
  });
});

describe('a handler that fails', () => {
  it('gets the same records again, in order, and nothing is skipped', async () => {
    await scene.createTopics(1);
    const { take, records } = recorder();
    let failures = 0;
    const running = await scene.consume(
      async (batch) => {
        if (failures < 3) {
          failures += 1;
          throw new RetryableError('database_unavailable', 'The database is away.');
        }
        await take(batch);
      },
      { chunk: { maxMessages: 7, maxBytes: 1_000_000 } },
    );
    await scene.sendNumbers(0, 30);
    await until(() => records.length >= 30);
    expect(failures).toBe(3);
    expect(numbers(records)).toEqual(range(30));
    await until(() => running.progress().failing.length === 0);
    expect(running.lines.filter((line) => line.includes('database_unavailable'))).toEqual([
      `warn A batch of ${scene.contracts} could not be handled (database_unavailable): it is tried again by itself.`,
      `info Batches of ${scene.contracts} are handled again (after database_unavailable).`,
    ]);
  });

  it('does not hold up other partitions', async () => {
    await scene.createTopics(3);
    const { take, records } = recorder();
    let isBroken = true;
    let sick = -1;
    const running = await scene.consume(async (batch) => {
      if (sick === -1) sick = batch.partition;
      if (isBroken && batch.partition === sick) throw new Error('unclassified');
      await take(batch);
    });
    await scene.sendNumbers(0, 200);
    await until(() => running.progress().failing.some(({ attempts }) => attempts >= 3));
    const expected = (await readTopic(connection, scene.contracts)).filter(({ partition }) => partition !== sick);
    await until(() => records.length === expected.length);
    expect(running.progress().failing).toMatchObject([
      { topic: scene.contracts, partition: sick, code: 'handler_failed', kind: 'retryable' },
    ]);
    isBroken = false;
    await until(() => records.length === 200);
    expect(sorted(numbers(records))).toEqual(range(200));
  });

  it('keeps class, code and kind of a terminal error, and is tried again until it is mended', async () => {
    await scene.createTopics(1);
    const { take, records } = recorder();
    let isBroken = true;
    const running = await scene.consume(async (batch) => {
      if (isBroken) throw new TerminalError('registry_invalid', 'The registry cannot be read.');
      await take(batch);
    });
    await scene.sendNumbers(0, 3);
    await until(() => running.progress().failing.some(({ attempts }) => attempts >= 2));
    expect(running.progress().failing).toMatchObject([{ code: 'registry_invalid', kind: 'terminal' }]);
    expect(records).toEqual([]);
    isBroken = false;
    await until(() => records.length === 3);
  });
});

describe('parts that are away', () => {
  it('waits for a missing topic, says so once, and starts by itself', async () => {
    const { take, records } = recorder();
    const running = await scene.consume(take);
    await until(() => running.progress().code === 'topic_missing');
    // Every look makes the list anew.
    const looked = running.progress().missingTopics;
    await until(() => running.progress().missingTopics !== looked);
    expect(looked).toEqual([scene.contracts]);
    expect(running.lines).toEqual([
      `warn Topic ${scene.contracts} does not exist, or this user may not see it: create it (v402 topics) or allow DESCRIBE; consumption starts by itself.`,
    ]);
    await scene.createTopics(2);
    await scene.sendNumbers(0, 5);
    await until(() => records.length === 5);
    expect(running.progress()).toMatchObject({ state: 'consuming', code: null, missingTopics: [] });
  });

  it('waits for a broker that does not answer, says so once, and closes promptly', async () => {
    let attempts = 0;
    const broker = createServer((socket) => {
      attempts += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(broker, 'listening');
    scene.onClose(() => Promise.resolve(broker.close()));
    const { port } = broker.address() as AddressInfo;
    const lines: string[] = [];
    const strategy = new KafkaBatchStrategy({
      connection: { brokers: [`127.0.0.1:${port}`], clientId: 'away' },
      topicPrefix: scene.prefix,
      consumer: { groupId: 'away', ...FAST },
      log: (level, message) => {
        if (level !== 'debug') lines.push(`${level} ${message}`);
      },
    });
    strategy.addHandler(TOPICS.contracts, () => Promise.resolve(), true);
    strategy.listen((error) => {
      expect(error).toBeUndefined();
    });
    await until(() => strategy.progress()?.code === 'broker_unavailable');
    const inOneRound = attempts;
    await until(() => attempts > 2 * inOneRound);
    expect(lines).toEqual(['warn Kafka cannot be reached or is not ready: consumption waits and goes on by itself.']);
    await strategy.close();
    expect(strategy.progress()?.state).toBe('closed');
  });
});
