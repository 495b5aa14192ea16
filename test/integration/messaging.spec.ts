/**
 * The Kafka transport and producer. Real: the broker, NestJS, kafkajs. Each test has topics and groups of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError, TerminalError } from '@v402/domain';
import {
  KafkaBatchStrategy,
  KafkaEventProducer,
  readTopic,
  topicSpecs,
  TOPICS,
  type KafkaBatch,
} from '@v402/messaging';
import { sendAnyHeaders } from '../support/any-headers.js';
import { committed, eventually, FAST, MessagingScene, numbers, range, recorder, sorted } from '../support/messaging.js';

const brokers = process.env.V402_TEST_KAFKA_BROKERS?.split(',') ?? [];
const connection = { brokers, clientId: 'messaging-spec' };
/** A session that no test outlives: whoever waited for its end would wait in vain. */
const NEVER_MS = 600_000;
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
    await eventually(() => records.length >= values.length);
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
    await eventually(() => records.length >= 2);
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
    await eventually(() => records.length === 1);
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
    await eventually(() => running.progress().assigned.length === 6);
    expect([records.length, running.progress().handling]).toEqual([0, 0]);
    const opens = setInterval(() => {
      if (held === 0) isOpen = true;
    }, 20);
    try {
      await eventually(() => records.length >= 3_000);
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
    await eventually(() => records.length === 1);
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
    await eventually(() => records.length === 1);
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
    await eventually(() => sizes.reduce((sum, size) => sum + size, 0) === 25);
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('goes on after what was handled when it starts again', async () => {
    await scene.createTopics(2);
    await scene.sendNumbers(0, 50);
    const first = recorder();
    const before = await scene.consume(first.take);
    await eventually(() => first.records.length === 50);
    await before.close();
    await scene.sendNumbers(50, 60);
    const second = recorder();
    await scene.consume(second.take);
    await eventually(() => second.records.length >= 10);
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
    await eventually(() => records.length >= 30);
    expect(failures).toBe(3);
    expect(numbers(records)).toEqual(range(30));
    await eventually(() => running.progress().failing.length === 0);
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
    await eventually(() => running.progress().failing.some(({ attempts }) => attempts >= 3));
    const expected = (await readTopic(connection, scene.contracts)).filter(({ partition }) => partition !== sick);
    await eventually(() => records.length === expected.length);
    expect(running.progress().failing).toMatchObject([
      { topic: scene.contracts, partition: sick, code: 'handler_failed', kind: 'retryable' },
    ]);
    isBroken = false;
    await eventually(() => records.length === 200);
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
    await eventually(() => running.progress().failing.some(({ attempts }) => attempts >= 2));
    expect(running.progress().failing).toMatchObject([{ code: 'registry_invalid', kind: 'terminal' }]);
    expect(records).toEqual([]);
    isBroken = false;
    await eventually(() => records.length === 3);
  });
});

describe('processes that come and go', () => {
  /** A process that has committed five of twenty records, and dies while it handles the next five. */
  const diesInTheMiddle = async (sessionMs: number): Promise<void> => {
    await scene.createTopics(1);
    await scene.sendNumbers(0, 20);
    const child = spawn(process.execPath, [new URL('./messaging-crash.child.mjs', import.meta.url).pathname], {
      env: {
        ...process.env,
        TOPIC_PREFIX: scene.prefix,
        GROUP: `${scene.prefix}group`,
        SESSION_MS: String(sessionMs),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    scene.onClose(async () => {
      child.kill('SIGKILL');
      await gone;
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    await eventually(() => output.includes('handling 5..9'));
    child.kill('SIGKILL');
    await gone;
  };

  it('delivers again what a killed process had not committed', async () => {
    await diesInTheMiddle(2_000);
    const { take, records } = recorder();
    await scene.consume(take);
    await eventually(() => records.length >= 15);
    expect(numbers(records)).toEqual(range(20).slice(5));
  });

  it('goes on at once when a killed process starts again under its name, however long its session', async () => {
    await diesInTheMiddle(NEVER_MS);
    const { take, records } = recorder();
    await scene.consume(take, { sessionTimeoutMs: NEVER_MS, rebalanceTimeoutMs: NEVER_MS }, 'crash-child');
    await eventually(() => records.length >= 15);
    expect(numbers(records)).toEqual(range(20).slice(5));
  });

  it('leaves both of two live processes of one name their work', async () => {
    await scene.createTopics(4);
    const handled = [recorder(), recorder()];
    const settings = { sessionTimeoutMs: NEVER_MS };
    const first = await scene.consume(handled[0]!.take, settings);
    await eventually(() => first.progress().assigned.length === 4);
    const second = await scene.consume(handled[1]!.take, settings);
    const isShared = (): boolean => [first, second].every((each) => each.progress().assigned.length === 2);
    await eventually(isShared);
    // While the group is still settling, one of them may have all partitions for a moment more.
    let sent = 0;
    while (!handled.every(({ records }) => records.length > 0)) {
      expect(sent).toBeLessThan(10_000);
      await scene.sendNumbers(sent, sent + 100);
      sent += 100;
      await eventually(() => new Set(handled.flatMap(({ records }) => numbers(records))).size === sent);
    }
    await eventually(isShared);
  });

  it('loses nothing when a second consumer joins and one leaves', async () => {
    await scene.createTopics(4);
    const handled: number[] = [];
    const slowly = async ({ messages }: KafkaBatch): Promise<void> => {
      await delay(5);
      handled.push(...numbers(messages));
    };
    const chunk = { maxMessages: 20, maxBytes: 1_000_000 };
    const first = await scene.consume(slowly, { chunk });
    const total = 3_000;
    const sending = (async () => {
      for (let from = 0; from < total; from += 100) {
        await scene.sendNumbers(from, from + 100);
        await delay(50);
      }
    })();
    await eventually(() => handled.length > 200);
    const second = await scene.consume(slowly, { chunk });
    await eventually(() => second.progress().assigned.length === 2 && first.progress().assigned.length === 2);
    await first.close();
    await eventually(() => second.progress().assigned.length === 4);
    await sending;
    await eventually(() => new Set(handled).size === total);
    await eventually(() => committed(second) === BigInt(total));
  });

  it('stays in the group while a handler runs for twice the session', async () => {
    await scene.createTopics(2);
    const calls: number[] = [];
    const running = await scene.consume(
      async ({ messages }) => {
        calls.push(...numbers(messages));
        if (calls.length === 1) await delay(6_000);
      },
      { sessionTimeoutMs: 3_000, chunk: { maxMessages: 1, maxBytes: 1_000 } },
    );
    await scene.sendNumbers(0, 2);
    await eventually(() => calls.length >= 2);
    await eventually(() => committed(running) === 2n);
    // Had the member been put out, its commit would have failed and the first record would have come again.
    expect(sorted(calls)).toEqual([0, 1]);
    expect(running.lines).toEqual([`info Consuming ${scene.contracts}.`]);
  });

  it('commits what was handled when it is closed in the middle of a batch', async () => {
    await scene.createTopics(1);
    await scene.sendNumbers(0, 10);
    const first = recorder();
    const before = await scene.consume(
      async (batch) => {
        await delay(200);
        await first.take(batch);
      },
      { chunk: { maxMessages: 2, maxBytes: 1_000 } },
    );
    await eventually(() => first.records.length >= 4);
    await before.close();
    expect(before.progress().state).toBe('closed');
    const second = recorder();
    await scene.consume(second.take);
    await eventually(() => first.records.length + second.records.length >= 10);
    expect([...numbers(first.records), ...numbers(second.records)]).toEqual(range(10));
    expect(second.records.length).toBeGreaterThan(0);
  });
});

describe('parts that are away', () => {
  it('waits for a missing topic, says so once, and starts by itself', async () => {
    const { take, records } = recorder();
    const running = await scene.consume(take);
    await eventually(() => running.progress().code === 'topic_missing');
    // Every look makes the list anew.
    const looked = running.progress().missingTopics;
    await eventually(() => running.progress().missingTopics !== looked);
    expect(looked).toEqual([scene.contracts]);
    expect(running.lines).toEqual([
      `warn Topic ${scene.contracts} does not exist: create it (v402 topics); consumption starts by itself.`,
    ]);
    await scene.createTopics(2);
    await scene.sendNumbers(0, 5);
    await eventually(() => records.length === 5);
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
    await eventually(() => strategy.progress()?.code === 'broker_unavailable');
    const inOneRound = attempts;
    await eventually(() => attempts > 2 * inOneRound);
    expect(lines).toEqual(['warn Kafka cannot be reached or is not ready: consumption waits and goes on by itself.']);
    await strategy.close();
    expect(strategy.progress()?.state).toBe('closed');
  });
});

describe('sending', () => {
  it('puts a key on the partition that a Java client chooses', async () => {
    await scene.createTopics(10);
    // The hashes that Kafka's own UtilsTest expects of its murmur2.
    const hashes = new Map([
      ['21', -973_932_308],
      ['foobar', -790_332_482],
      ['a-little-bit-long-string', -985_981_536],
      ['a-little-bit-longer-string', -1_486_304_829],
    ]);
    const keys = [...hashes.keys()];
    await scene.producer.send(keys.map((key) => ({ topic: scene.contracts, key, value: Buffer.from(key) })));
    const records = await readTopic(connection, scene.contracts);
    const partitions = new Map(records.map(({ key, partition }) => [key?.toString(), partition]));
    expect(keys.map((key) => partitions.get(key))).toEqual(
      [...hashes.values()].map((hash) => (hash & 0x7fffffff) % 10),
    );
  });

  it('names the record that is too large and has sent those before it', async () => {
    await scene.createTopics(1);
    const topic = scene.topic('events');
    const record = (bytes: number) => ({ topic, key: 'k', value: Buffer.alloc(bytes, 'e') });
    const sent = scene.producer.send([record(1), record(2), record(3_000_000), record(4)]);
    await expect(sent).rejects.toBeInstanceOf(TerminalError);
    await expect(sent).rejects.toMatchObject({
      code: 'record_too_large',
      context: { topic, index: 2, bytes: 3_000_000 },
    });
    await scene.producer.send([record(5)]);
    const sizes = (await readTopic(connection, topic)).map(({ value }) => value?.length);
    expect(sizes).toEqual([1, 2, 5]);
  });

  it('finds the record that is too large within one request', async () => {
    const topic = `${scene.prefix}small`;
    const config = { 'max.message.bytes': '1000' };
    await scene.topics.create([{ topic, partitions: 1, replicationFactor: 1, config }]);
    const record = (bytes: number) => ({ topic, key: 'k', value: Buffer.alloc(bytes, 'e') });
    const sent = scene.producer.send([record(10), record(20), record(30), record(2_000), record(40)]);
    await expect(sent).rejects.toMatchObject({ code: 'record_too_large', context: { index: 3 } });
    expect((await readTopic(connection, topic)).map(({ value }) => value?.length)).toEqual([10, 20, 30]);
  });

  it('does not let the broker take a new record for a repetition of a refused one', async () => {
    await scene.createTopics(1);
    const small = `${scene.prefix}small`;
    await scene.topics.create([
      { topic: small, partitions: 1, replicationFactor: 1, config: { 'max.message.bytes': '1000' } },
    ]);
    const event = (value: string) => ({ topic: scene.topic('events'), key: 'k', value: Buffer.from(value) });
    // The broker wrote "a", but kafkajs takes the numbers of the whole request back: under the same producer "b" would be lost.
    const sent = scene.producer.send([{ topic: small, key: 'k', value: Buffer.alloc(2_000) }, event('a')]);
    await expect(sent).rejects.toMatchObject({ code: 'record_too_large', context: { index: 0 } });
    await scene.producer.send([event('b')]);
    const values = (await readTopic(connection, scene.topic('events'))).map(({ value }) => value?.toString());
    expect(values).toEqual(['a', 'b']);
  });

  it('says which of several topics is missing and how to create it', async () => {
    const specs = topicSpecs(scene.prefix, { partitions: 1, replicationFactor: 1 });
    const [events, payments] = [scene.topic('events'), scene.topic('payments')];
    await scene.topics.create(specs.filter(({ topic }) => topic === events));
    const record = (topic: string) => ({ topic, key: 'k', value: Buffer.from('v') });
    await expect(scene.producer.send([record(events), record(payments)])).rejects.toMatchObject({
      kind: 'retryable',
      code: 'topic_missing',
      message: `Topic ${payments} does not exist: create it with \`v402 topics create\`; the records are sent again later.`,
      context: { topic: payments },
    });
  });

  it('is retryable when no broker answers or the topic is missing', async () => {
    const away = new KafkaEventProducer({ brokers: ['127.0.0.1:1'], clientId: 'away' }, () => undefined);
    const record = { topic: scene.contracts, key: 'k', value: Buffer.from('v') };
    await expect(away.send([record])).rejects.toMatchObject({ kind: 'retryable', code: 'broker_unavailable' });
    await away.close();
    const failed = scene.producer.send([record]);
    await expect(failed).rejects.toBeInstanceOf(RetryableError);
    await expect(failed).rejects.toMatchObject({ code: 'topic_missing', context: { topic: scene.contracts } });
    await scene.createTopics(1);
    await scene.producer.send([record]);
    expect(await readTopic(connection, scene.contracts)).toHaveLength(1);
  });
});

describe('topics', () => {
  it('creates what is missing once, and tells what is there', async () => {
    const specs = topicSpecs(scene.prefix, { partitions: 3, replicationFactor: 1 });
    const names = specs.map(({ topic }) => topic);
    expect(await scene.topics.inspect(names)).toEqual(names.map((topic) => ({ topic, exists: false })));
    expect(await scene.topics.create(specs)).toEqual(names);
    expect(await scene.topics.create(specs)).toEqual([]);
    const [input, output] = await scene.topics.inspect(names);
    expect(input).toMatchObject({ exists: true, partitions: 3, timestampType: 'LogAppendTime' });
    expect(input).toHaveProperty('maxMessageBytes', 12_582_912);
    expect(input).toMatchObject({ compression: 'uncompressed', isCompressionReadable: true });
    expect(output).toMatchObject({ exists: true, partitions: 3, timestampType: 'CreateTime' });
    expect(output).toMatchObject({ compression: 'producer', isCompressionReadable: false });
  });

  it('reads on until a condition holds, and says what it has when it does not', async () => {
    await scene.createTopics(1);
    const reading = readTopic(connection, scene.contracts, { until: (records) => records.length >= 3 });
    await scene.sendNumbers(0, 3);
    expect(numbers(await reading)).toEqual([0, 1, 2]);
    const late = readTopic(connection, scene.contracts, { until: (records) => records.length > 3, timeoutMs: 1_500 });
    await expect(late).rejects.toThrow(/3 records within 1500 ms/);
  });
});
