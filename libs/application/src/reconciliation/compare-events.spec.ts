import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundEvent, ReconciliationBooks } from '../ports/reconciliation-books.js';
import { TopicLog, type LoggedRecord, type PartitionBounds, type PartitionRange } from '../ports/topic-log.js';
import { EventComparison } from './compare-events.js';
import { Findings } from './report.js';

const TOPIC = 'events';
const SECOND = 1_000_000n;
const HOUR_MS = 3_600_000;
const window = { from: 36_000n * SECOND, to: 72_000n * SECOND };

interface Made {
  readonly event: FoundEvent;
  readonly value: Buffer;
}

/** Events of one stream, in the order of their sequence; each is a second younger than the one before. */
function stream(name: string, count: number, firstAt = window.from): Made[] {
  return Array.from({ length: count }, (_, index) => {
    const id = randomUUID();
    const value = Buffer.from(JSON.stringify({ id }));
    const position = name.charCodeAt(0) * 1000 + index;
    const event = {
      ...{ id, stream: name, type: 't', topic: TOPIC, sequence: index + 1, position },
      occurredAt: firstAt + BigInt(index) * SECOND,
      sha256: createHash('sha256').update(value).digest('hex'),
      previous: index === 0 ? undefined : position - 1,
    };
    return { event, value };
  });
}

/** One partition, whose records are written by hand. */
class Log extends TopicLog {
  readonly records: LoggedRecord[] = [];
  low = 0n;

  append({ event, value }: Made, timestampMs = Number(event.occurredAt / 1000n)): void {
    const offset = BigInt(this.records.length);
    this.records.push({ topic: TOPIC, partition: 0, offset, key: event.stream, value, timestampMs });
  }

  override bounds(): Promise<readonly PartitionBounds[]> {
    return Promise.resolve([{ partition: 0, low: this.low, high: BigInt(this.records.length) }]);
  }

  override offsetsAt(_: string, at: number): Promise<ReadonlyMap<number, bigint>> {
    const first = this.records.find(({ timestampMs, offset }) => timestampMs >= at && offset >= this.low);
    return Promise.resolve(new Map([[0, first?.offset ?? BigInt(this.records.length)]]));
  }

  override async read(
    _: string,
    ranges: readonly PartitionRange[],
    onBatch: (records: readonly LoggedRecord[]) => Promise<void>,
  ): Promise<void> {
    for (const { from, to } of ranges) {
      await onBatch(this.records.filter(({ offset }) => offset >= from && offset < to && offset >= this.low));
    }
  }
}

interface Outcome {
  readonly differences: readonly string[];
  readonly unproven: readonly string[];
  readonly found: number;
}

async function compare(
  log: Log,
  made: readonly Made[],
  {
    waiting = [],
    known = made,
    beforeHold = () => undefined,
  }: { waiting?: readonly Made[]; known?: readonly Made[]; beforeHold?: () => void } = {},
): Promise<Outcome> {
  const all = new Map(known.map(({ event }) => [event.id, event]));
  const books: Pick<ReconciliationBooks, 'eventsById' | 'unpublished'> = {
    eventsById: (ids) =>
      Promise.resolve(new Map(ids.flatMap((id) => (all.has(id) ? [[id, all.get(id)!] as const] : [])))),
    unpublished: (ids) =>
      Promise.resolve(new Set(waiting.map(({ event }) => event.id).filter((id) => ids.includes(id)))),
  };
  const findings = new Findings();
  const comparison = new EventComparison(
    log,
    books,
    [TOPIC],
    window,
    findings,
    window.to,
    new AbortController().signal,
  );
  await comparison.readTopics();
  beforeHold();
  await comparison.hold(made.map(({ event }) => event));
  await comparison.conclude();
  const { differences, unproven, counts } = findings.report(window, 0n, 0n, 0);
  return {
    differences: differences.map(({ code }) => code),
    unproven: unproven.map(({ code, detail = '' }) => `${code} ${detail.replace(/\d+ /, '')}`),
    found: counts.eventsFound,
  };
}

let log: Log;
beforeEach(() => {
  log = new Log();
});

test('default: all are found, repeated ones too, however streams mix', async () => {
  const [a, b] = [stream('a', 3), stream('b', 2)];
  for (const made of [a[0]!, b[0]!, a[1]!, a[0]!, a[2]!, b[1]!, a[1]!]) log.append(made);
  expect(await compare(log, [...a, ...b])).toEqual({ differences: [], unproven: [], found: 5 });
});

test('error: a first publication before the one that precedes it', async () => {
  const a = stream('a', 3);
  for (const made of [a[0]!, a[2]!, a[1]!]) log.append(made);
  expect(await compare(log, a)).toEqual({ differences: ['event_out_of_order'], unproven: [], found: 3 });
});

test('error: also after thousands of which the one before was published long before the window', async () => {
  const old = Array.from({ length: 2_000 }, (_, index) => stream(`old ${index}`, 2)).map(([first, second], index) => ({
    first: { ...first!, event: { ...first!.event, position: 1_000_000 + index } },
    second: { ...second!, event: { ...second!.event, position: 2_000_000 + index, previous: 1_000_000 + index } },
  }));
  const early = Number(window.from / 1000n) - 30 * 24 * HOUR_MS;
  for (const { first } of old) log.append(first, early);
  for (const { second } of old) log.append(second);
  const a = stream('a', 3);
  for (const made of [a[0]!, a[2]!, a[1]!]) log.append(made);
  const made = [...old.map(({ second }) => second), ...a];
  const known = [...old.map(({ first }) => first), ...made];
  expect(await compare(log, made, { known })).toEqual({
    differences: ['event_out_of_order'],
    unproven: [],
    found: 2_003,
  });
  // What is missing has the whole topic read: what came before the window comes into view, and is not late.
  const lost = stream('b', 1);
  expect((await compare(log, [...made, ...lost], { known })).differences).toEqual([
    'event_out_of_order',
    'event_missing',
  ]);
});

test('error: also where the one that precedes it comes only in the second look', async () => {
  const a = stream('a', 2);
  log.append(a[1]!);
  const beforeHold = (): void => {
    log.append(a[0]!);
  };
  expect(await compare(log, a, { beforeHold })).toEqual({
    differences: ['event_out_of_order'],
    unproven: [],
    found: 2,
  });
});

test('error: a gap is one missing event, not one out of order', async () => {
  const a = stream('a', 3);
  for (const made of [a[0]!, a[2]!]) log.append(made);
  expect((await compare(log, a)).differences).toEqual(['event_missing']);
});

test('error: a record that names an id twice is no event, whichever of the two it means', async () => {
  const a = stream('a', 2);
  const twice = Buffer.from(`{"id":"${randomUUID()}","id":"${a[0]!.event.id}"}`);
  for (const made of [a[0]!, { ...a[0]!, value: twice }, a[1]!]) log.append(made);
  expect(await compare(log, a)).toEqual({ differences: ['event_unknown'], unproven: [], found: 2 });
});

test('behavior: what was published since the topic was read is found in a second look', async () => {
  const a = stream('a', 2);
  log.append(a[0]!);
  const late = {
    beforeHold: () => {
      log.append(a[1]!);
    },
  };
  expect(await compare(log, a, late)).toEqual({ differences: [], unproven: [], found: 2 });
});

test('behavior: what a relay with a wrong clock wrote is found in a second look', async () => {
  const a = stream('a', 1);
  log.append(a[0]!, Number(window.from / 1000n) - 2 * HOUR_MS);
  expect(await compare(log, a)).toEqual({ differences: [], unproven: [], found: 1 });
});

test('behavior: what waits in the outbox is not missing, but unpublished', async () => {
  const a = stream('a', 2);
  log.append(a[0]!);
  expect((await compare(log, a, { waiting: [a[1]!] })).differences).toEqual(['event_unpublished']);
});

test('behavior: of what the topic does not hold any more nothing is proven', async () => {
  const a = stream('a', 3);
  for (const made of a) log.append(made);
  log.low = 2n;
  expect(await compare(log, a)).toEqual({ differences: [], unproven: ['events_not_retained events'], found: 1 });
});

test('behavior: nor of a topic that has lost everything', async () => {
  const a = stream('a', 1);
  log.append(a[0]!);
  log.low = 1n;
  expect((await compare(log, a)).differences).toEqual([]);
});

test('behavior: what is younger than the grace is in flight', async () => {
  const a = stream('a', 1, window.to);
  expect(await compare(log, a)).toEqual({ differences: [], unproven: [], found: 0 });
});

test('error: asked to break off, it reads no further batch, and every reader has ended', async () => {
  const stop = new AbortController();
  let batches = 0;
  const reading = new Set<string>();
  log.read = async (topic, _, onBatch) => {
    reading.add(topic);
    try {
      for (let batch = 0; batch < 100; batch += 1) {
        // One reader is slower than the other.
        await sleep(topic === TOPIC ? 0 : 5);
        if (batch === 5) stop.abort();
        await onBatch([]);
        batches += 1;
      }
    } finally {
      reading.delete(topic);
    }
  };
  log.append(stream('a', 1)[0]!);
  const books = { eventsById: () => Promise.resolve(new Map()), unpublished: () => Promise.resolve(new Set<string>()) };
  const topics = [TOPIC, 'slow events'];
  const comparison = new EventComparison(log, books, topics, window, new Findings(), window.to, stop.signal);
  await expect(comparison.readTopics()).rejects.toMatchObject({ code: 'reconciliation_aborted' });
  expect([...reading]).toEqual([]);
  expect(batches).toBeLessThan(12);
});

test('property: thousands that are missing are looked for in parts', async () => {
  const many = Array.from({ length: 12 }, (_, index) => stream(String.fromCharCode(97 + index), 1_000)).flat();
  for (const made of many.slice(0, -1)) log.append(made);
  const found = await compare(log, many, { beforeHold: () => (log.low = 0n) });
  expect(found).toEqual({ differences: ['event_missing'], unproven: [], found: 11_999 });
  const emptied = new Log();
  const late = await compare(emptied, many, {
    beforeHold: () => {
      for (const made of many) emptied.append(made);
    },
  });
  expect(late).toEqual({ differences: [], unproven: [], found: 12_000 });
});
