/**
 * What operators and retention can do to the contracts topic behind the back of intake. Real: the intake app as a process,
 * Kafka, PostgreSQL. Each test has a topic, a group and a database of its own.
 */
import type { ChildProcess } from 'node:child_process';
import { v402 } from '../support/cli.js';
import { SettlementScene } from '../support/settlement-scene.js';
import { ContractsTopic } from '../support/topic-admin.js';
import { trade } from '../support/trade.js';

let scene: SettlementScene;
let topic: ContractsTopic;
let made = 0;

const open = async (partitions = 1): Promise<void> => {
  scene = await SettlementScene.open({ partitions });
  topic = new ContractsTopic(scene.brokers, scene.prefix);
};

afterEach(async () => {
  await scene.close();
});

const contracts = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => trade({ negotiationId: `input-${(made += 1)}` }).envelope);

const group = (): string => `${scene.prefix}v402-intake`;

const send = (count: number): Promise<void> => scene.send(contracts(count));

const accepted = (count: number): Promise<void> =>
  scene.until(`${count} accepted`, async () => (await scene.count('v402.settlement')) === count);

const stop = async (intake: ChildProcess): Promise<void> => {
  expect(await scene.kill(intake, 'SIGTERM')).toBe(0);
};

/** Opens a scene in which intake has decided so many messages. @returns that intake, which goes on */
const openDecided = async (count: number, partitions = 1): Promise<ChildProcess> => {
  await open(partitions);
  const intake = scene.start('intake');
  await send(count);
  await accepted(count);
  return intake;
};

const losses = (): Promise<Record<string, unknown>[]> =>
  scene.sql(
    'SELECT code, partition, first_offset AS first, next_offset AS next FROM v402.input_loss ORDER BY id, partition',
  );

const alarms = (): string[] =>
  [...scene.log('intake').matchAll(/"alarm":"(input_(?:lost|topic_recreated|offsets_moved|partitions_added))"/g)].map(
    ([, code]) => code ?? '',
  );

/** Partition 0 is decided up to its end, control records and all. */
const atEnd = (): Promise<void> =>
  scene.until('the mark is at the end', async () => {
    const [row] = await scene.sql<{ next: string }>(
      'SELECT next_offset AS next FROM v402.input_offset WHERE partition = 0',
    );
    return BigInt(row?.next ?? -1) === (await topic.high(0));
  });

test('messages that retention removed while intake was away: the exact range, once, and an operator is told', async () => {
  await stop(await openDecided(3));
  await send(4);
  await topic.removeBefore(0, 5n);

  const second = scene.start('intake');
  await accepted(5);
  expect(await losses()).toEqual([{ code: 'input_lost', partition: 0, first: '3', next: '5' }]);
  await stop(second);
  const third = scene.start('intake');
  await send(1);
  await accepted(6);
  await stop(third);
  expect(await losses()).toHaveLength(1);
  expect(alarms()).toEqual(['input_lost']);
  expect(
    await scene.sql("SELECT FROM v402.input_loss WHERE process LIKE '%/%' AND known_at < noticed_at"),
  ).toHaveLength(1);

  const window = ['--from', '2026-01-01T00:00:00Z', '--to', '2100-01-01T00:00:00Z'];
  const { status, stdout } = await v402(['reconcile', ...window, '--json'], { env: scene.environment() });
  expect(status).toBe(1);
  const { differences } = JSON.parse(stdout) as { differences: { code: string; subject: string; detail: string }[] };
  expect(differences.filter(({ code }) => code.startsWith('input_'))).toEqual([
    expect.objectContaining({
      subject: `${topic.name}/0`,
      detail: expect.stringMatching(/^offsets 3 to 4, between .* and .*, noticed by /) as unknown,
    }),
  ]);
});

test('messages removed before the first one was decided', async () => {
  await open();
  const first = scene.start('intake');
  await scene.until('it looked', async () => (await scene.count('v402.input_offset')) === 1);
  await stop(first);
  await send(3);
  await topic.removeBefore(0, 2n);
  scene.start('intake');
  await accepted(1);
  expect(await losses()).toEqual([{ code: 'input_lost', partition: 0, first: '0', next: '2' }]);
});

test('messages removed while intake runs and is behind', async () => {
  const intake = await openDecided(3);
  intake.kill('SIGSTOP');
  await topic.untilNobodyWaits();
  await send(4);
  await topic.removeBefore(0, 5n);
  intake.kill('SIGCONT');
  await accepted(5);
  expect(await losses()).toEqual([{ code: 'input_lost', partition: 0, first: '3', next: '5' }]);
  await scene.untilSaid('"alarm":"input_lost"', 'intake');
  expect(alarms()).toEqual(['input_lost']);
});

describe('the topic is deleted and made anew', () => {
  test('while intake is away, with more messages than before: all of them are decided, whatever stood at their offsets', async () => {
    await stop(await openDecided(3));
    await topic.recreate(1);
    await send(5);
    const second = scene.start('intake');
    await accepted(8);
    await stop(second);
    scene.start('intake');
    await send(1);
    await accepted(9);
    expect(await losses()).toEqual([{ code: 'input_topic_recreated', partition: 0, first: '3', next: null }]);
    expect(alarms()).toEqual(['input_topic_recreated']);
    const places = await scene.sql('SELECT kafka_offset AS at FROM v402.decision ORDER BY kafka_offset::int, id');
    expect(places.map(({ at }) => at)).toEqual(['0', '0', '1', '1', '2', '2', '3', '4', '5']);
  });

  test('with the same number, and the group still has its offsets', async () => {
    await stop(await openDecided(3));
    await topic.recreate(1);
    await send(3);
    await topic.moveGroup(group(), 0, 3n);
    scene.start('intake');
    await accepted(6);
    expect(await losses()).toEqual([{ code: 'input_topic_recreated', partition: 0, first: '3', next: null }]);
  });

  test('while intake runs, with fewer messages, and fewer partitions', async () => {
    await openDecided(10, 2);
    const marks = await scene.sql<{ next: string }>('SELECT next_offset AS next FROM v402.input_offset');
    expect(marks.every(({ next }) => Number(next) > 1)).toBe(true);
    await topic.recreate(1);
    await send(1);
    await accepted(11);
    expect(await losses()).toContainEqual({
      code: 'input_topic_recreated',
      partition: 0,
      first: expect.any(String) as unknown,
      next: null,
    });
  });
});

describe('the offsets of the group are set ahead', () => {
  test.each([
    ['within the log', 5n],
    ['beyond its end', 1_000_000_000n],
  ])('%s: intake goes back by itself, and nothing is lost', async (_, ahead) => {
    await stop(await openDecided(3));
    await send(4);
    await topic.moveGroup(group(), 0, ahead);
    const second = scene.start('intake');
    await accepted(7);
    await stop(second);
    const third = scene.start('intake');
    await send(1);
    await accepted(8);
    await stop(third);
    expect(await losses()).toEqual([{ code: 'input_offsets_moved', partition: 0, first: '3', next: ahead.toString() }]);
    expect(alarms()).toEqual(['input_offsets_moved']);
  });

  test('behind: what comes again has no effect, and there is nothing to tell', async () => {
    await stop(await openDecided(3));
    await topic.moveGroup(group(), 0, 0n);
    scene.start('intake');
    await send(1);
    await accepted(4);
    expect(await losses()).toEqual([]);
  });
});

test('partitions are added: each is told once, however many processes see it', async () => {
  await stop(await openDecided(4, 2));
  await topic.addPartitions(4);
  const both = [scene.start('intake', { V402_PROCESS_NAME: 'a' }), scene.start('intake', { V402_PROCESS_NAME: 'b' })];
  await scene.until('both have joined', async () => (await topic.members(group())) === both.length);
  await send(8);
  await accepted(12);
  for (const each of both) await stop(each);
  const added = { code: 'input_partitions_added', first: '0', next: null };
  expect(await losses()).toEqual([
    { ...added, partition: 2 },
    { ...added, partition: 3 },
  ]);
  expect(alarms()).toEqual(['input_partitions_added', 'input_partitions_added']);
});

test('transactions, aborted ones too, and a restart after each: control records are no loss, there or removed', async () => {
  await open();
  const first = scene.start('intake');
  await topic.sendInTransactions(contracts(3), 'commit');
  await accepted(3);
  await stop(first);
  await topic.sendInTransactions(contracts(2), 'abort');
  const second = scene.start('intake');
  await atEnd();
  await stop(second);
  await topic.removeBefore(0, -1n);
  const third = scene.start('intake');
  await topic.sendInTransactions(contracts(2), 'commit');
  await accepted(5);
  await scene.kill(third);
  scene.start('intake');
  await send(1);
  await accepted(6);
  expect(await losses()).toEqual([]);
  expect(alarms()).toEqual([]);
});

test('a topic that keeps records compressed is told at the start', async () => {
  await open();
  await topic.set('compression.type', 'producer');
  scene.start('intake');
  await scene.until('it is told', () =>
    Promise.resolve(scene.log('intake').includes('"alarm":"input_topic_compressed"')),
  );
});
