// Measures how many contracts a second the standalone app takes from Kafka to orders whose events are on Kafka, and holds
// that against what this machine's Kafka and PostgreSQL do with the same messages and nothing else. `npm run bench [N]`.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startLocalParts } from '@v402/local-parts';
import { LocalSystem, type PublishedEvent } from '@v402/local-system';
import { KafkaEventProducer, KafkaTopics, readTopic } from '@v402/messaging';
import { compareTrade, simulateTrade, type SimulatedMessage, type SimulatedTrade } from '@v402/simulators';
import Table from 'cli-table3';
import pg from 'pg';

/** How long something took for all messages, and how. */
interface Measurement {
  readonly name: string;
  readonly seconds: number;
}

const PARTITIONS = 3;
const STALLED_AFTER_MS = 60_000;
const MEBIBYTE = 1024 * 1024;

const { positionals } = parseArgs({ allowPositionals: true });
const count = Number(positionals[0] ?? 5_000);
if (!Number.isInteger(count) || count < 1) throw new RangeError('How many contracts? A whole number from 1 on.');

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const folder = await mkdtemp(join(tmpdir(), 'v402-bench-'));
const parts = await startLocalParts({ onProgress: say });
try {
  say(`Signing ${count} contracts …`);
  const trade = simulateTrade({ seed: 402, count, now: new Date().toISOString(), onlyGood: true });
  const messages = trade.waves.flat();
  const system = await LocalSystem.prepare({ parts, trade, folder, partitions: PARTITIONS });
  try {
    const { measurements, memory } = await measureStandalone(system, trade);
    say('Kafka alone …');
    measurements.push(await measureKafka(system, messages));
    say('PostgreSQL alone …');
    measurements.push(await measurePostgres(system, messages));
    process.stdout.write(report(measurements, memory));
  } finally {
    await system.remove();
  }
} finally {
  await parts.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measureStandalone(
  system: LocalSystem,
  trade: SimulatedTrade,
): Promise<{ measurements: Measurement[]; memory: string }> {
  const messages = trade.waves.flat();
  const standalone = system.startStandalone({ outlive: false });
  try {
    await standalone.untilReady();
    say('The standalone app takes the contracts …');
    const startMs = Date.now();
    await system.send(messages);
    await untilPublished(system, messages);
    const events = await system.readEvents();
    const differences = compareTrade(messages, { events, ...(await system.readBooks()) });
    if (differences.length > 0) throw new Error(`The run is not sound: ${differences.slice(0, 5).join('; ')}`);
    const memory = await standalone.memory();
    const megabytes = (bytes: number | undefined): string =>
      bytes === undefined ? '?' : String(Math.round(bytes / MEBIBYTE));
    const orders = events.filter(({ type }) => type === 'org.v402.order.created.v1');
    return {
      measurements: [
        { name: `standalone: ${orders.length} orders created, on Kafka`, seconds: secondsUntilLast(orders, startMs) },
        { name: `standalone: all ${events.length} events on Kafka`, seconds: secondsUntilLast(events, startMs) },
      ],
      memory: `${megabytes(memory?.residentBytes)} MiB (peak ${megabytes(memory?.peakBytes)} MiB)`,
    };
  } finally {
    await standalone.stop();
  }
}

async function untilPublished(system: LocalSystem, messages: readonly SimulatedMessage[]): Promise<void> {
  const expected = messages.reduce((sum, { events }) => sum + events.length, 0);
  let movedAt = performance.now();
  let before = -1;
  for (;;) {
    const published = Object.values(await system.eventCounts()).reduce((sum, each) => sum + each, 0);
    if (published >= expected) return;
    if (published !== before) movedAt = performance.now();
    if (performance.now() - movedAt > STALLED_AFTER_MS)
      throw new Error(`Only ${published} of ${expected} events came.`);
    before = published;
    await sleep(500);
  }
}

function secondsUntilLast(events: readonly PublishedEvent[], startMs: number): number {
  return (events.reduce((last, { timestampMs }) => Math.max(last, timestampMs), startMs) - startMs) / 1000;
}

/** The same messages through one topic: produced, and consumed again. */
async function measureKafka(
  { connection, prefix }: LocalSystem,
  messages: readonly SimulatedMessage[],
): Promise<Measurement> {
  const topic = `${prefix}echo`;
  const topics = new KafkaTopics(connection, () => undefined);
  await topics.create([{ topic, partitions: PARTITIONS, replicationFactor: 1, config: {} }]);
  const producer = new KafkaEventProducer(connection, () => undefined);
  const values = messages.map(({ key, value }) => ({ topic, key, value: Buffer.from(value ?? []) }));
  await producer.send(values.slice(0, 1));
  // The first record shows that the consumer is there; the clock starts then.
  const started = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<number>();
  const reading = readTopic(connection, topic, {
    until: ({ length }) => {
      started.resolve(length);
      if (length <= values.length) return false;
      ended.resolve(performance.now());
      return true;
    },
  });
  await Promise.race([started.promise, reading]);
  const startMs = performance.now();
  await producer.send(values);
  const [endMs] = await Promise.all([ended.promise, reading]);
  await producer.close();
  await topics.remove([topic]);
  return { name: 'Kafka alone: produced and consumed again', seconds: (endMs - startMs) / 1000 };
}

/** The same messages into one table, each in a transaction of its own. */
async function measurePostgres({ urls }: LocalSystem, messages: readonly SimulatedMessage[]): Promise<Measurement> {
  const client = new pg.Client({ connectionString: urls.ownerUrl });
  await client.connect();
  try {
    await client.query('CREATE SCHEMA bench');
    await client.query('CREATE TABLE bench.contract (key text PRIMARY KEY, value bytea NOT NULL)');
    const startMs = performance.now();
    for (const { key, value } of messages) {
      const values = [key, value];
      await client.query({ name: 'insert', text: 'INSERT INTO bench.contract (key, value) VALUES ($1, $2)', values });
    }
    return { name: 'PostgreSQL alone: inserted, one a transaction', seconds: (performance.now() - startMs) / 1000 };
  } finally {
    await client.end();
  }
}

function report(measurements: readonly Measurement[], memory: string): string {
  const [standalone] = measurements;
  const table = new Table({
    head: ['', 'seconds', 'contracts/s', 'standalone ÷ this'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { name, seconds } of measurements) {
    const ratio = standalone === undefined ? 1 : seconds / standalone.seconds;
    table.push([name, seconds.toFixed(1), Math.round(count / seconds), ratio.toFixed(3)]);
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node.js ${process.versions.node}`;
  return `\n${count} contracts, ${machine}\n${table.toString()}\nMemory of the standalone app: ${memory}\n`;
}
