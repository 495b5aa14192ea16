import { createHash } from 'node:crypto';
import { parseStrictJson } from '@v402/contract';
import { RetryableError } from '@v402/domain';
import { allSettled } from '../all-settled.js';
import type { BookedEvent, FoundEvent, ReconciliationBooks, Window } from '../ports/reconciliation-books.js';
import type { LoggedRecord, PartitionBounds, PartitionRange, TopicLog } from '../ports/topic-log.js';
import { isUuid } from '../uuid.js';
import { BitSet } from './bit-set.js';
import type { Findings } from './report.js';
import { throwIfAborted } from './throw-if-aborted.js';

/** Records carry the relay's clock, which may be wrong: so much earlier than the window the log is read from. */
const CLOCK_MARGIN_MS = 3_600_000;

/** So many events that were not found are looked for together. */
const MAX_MISSING = 5_000;

/** How far a topic was read, and what it no longer holds. */
interface ReadTopic {
  starts: ReadonlyMap<number, bigint>;
  ends: ReadonlyMap<number, bigint>;
  /** Of what occurred before this moment (milliseconds) records have been deleted. */
  retainedFromMs: number;
}

/**
 * Compares events with their topics. The topics are read once, record by record against the database; of every event that
 * was found one bit is kept, and one of the event before it where that was not found yet. The database's events are then
 * held against the bits.
 */
export class EventComparison {
  readonly #seen = new BitSet();
  readonly #topics = new Map<string, ReadTopic>();
  /** Events that had not been seen when the one after them was: those of them that come later are late. */
  readonly #overtaken = new BitSet();
  #missing: BookedEvent[] = [];
  /** Events of topics that could not be read, or that are not retained: nothing is said of them. */
  readonly #notRetained = new Map<string, number>();

  constructor(
    private readonly log: TopicLog,
    private readonly books: Pick<ReconciliationBooks, 'eventsById' | 'unpublished'>,
    private readonly topics: readonly string[],
    private readonly window: Window,
    private readonly findings: Findings,
    /** Events after this moment may still be under way. */
    private readonly settledBefore: bigint,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Reads all topics from the beginning of the window to their present ends.
   * @throws TerminalError `reconciliation_aborted` by the signal
   */
  async readTopics(): Promise<void> {
    await allSettled(this.topics.map((topic) => this.#tried(topic)));
  }

  async #tried(topic: string): Promise<void> {
    try {
      await this.#readTopic(topic);
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      this.#topics.delete(topic);
      this.findings.unproven('topic_unread', topic, error.code);
    }
  }

  /** Whether these events of the database were found on their topics. */
  async hold(events: readonly BookedEvent[]): Promise<void> {
    for (const event of events) {
      this.findings.counts.events += 1;
      const read = this.#topics.get(event.topic);
      if (read === undefined) continue;
      if (this.#seen.has(event.position)) this.findings.counts.eventsFound += 1;
      else if (event.occurredAt >= this.settledBefore) this.findings.counts.inFlight += 1;
      else if (Number(event.occurredAt / 1000n) < read.retainedFromMs) this.#countNotRetained(event.topic);
      else this.#missing.push(event);
    }
    if (this.#missing.length >= MAX_MISSING) await this.#lookFurther();
  }

  /**
   * Looks for what was not found where it may be all the same, and says what is really missing.
   * @throws TerminalError `reconciliation_aborted` by the signal
   */
  async conclude(): Promise<void> {
    await this.#lookFurther();
    for (const [topic, count] of this.#notRetained) {
      this.findings.unproven('events_not_retained', topic, `${count} events`);
    }
  }

  async #readTopic(topic: string): Promise<void> {
    const bounds = await this.log.bounds(topic);
    const fromMs = Number(this.window.from / 1000n);
    const starts = await this.log.offsetsAt(topic, Math.max(0, fromMs - CLOCK_MARGIN_MS));
    const read: ReadTopic = {
      starts: new Map(bounds.map(({ partition, low }) => [partition, starts.get(partition) ?? low])),
      ends: new Map(bounds.map(({ partition, high }) => [partition, high])),
      retainedFromMs: 0,
    };
    this.#topics.set(topic, read);
    const cut = new Set(bounds.filter(({ low }) => low > 0n).map(({ partition }) => partition));
    // A partition that has lost all its records may have lost any of them.
    if (bounds.some(({ low, high }) => low > 0n && low === high)) read.retainedFromMs = Number.MAX_SAFE_INTEGER;
    const ranges = bounds.map(({ partition, low, high }) => ({
      partition,
      from: read.starts.get(partition) ?? low,
      to: high,
    }));
    await this.log.read(topic, ranges.filter(isNotEmpty), async (records) => {
      throwIfAborted(this.signal);
      for (const { partition, timestampMs, offset } of records) {
        const isFirstKept = cut.has(partition) && offset === lowOf(bounds, partition);
        if (isFirstKept) read.retainedFromMs = Math.max(read.retainedFromMs, timestampMs);
      }
      await this.#match(topic, records);
    });
  }

  async #match(topic: string, records: readonly LoggedRecord[]): Promise<void> {
    const named = records.map((record) => ({ record, id: idOf(record) }));
    const known = await this.books.eventsById(named.flatMap(({ id }) => (id === undefined ? [] : [id])));
    for (const { record, id } of named) {
      const event = id === undefined ? undefined : known.get(id);
      if (event === undefined) this.#unknown(record);
      else this.#matchOne(topic, record, event);
    }
  }

  #matchOne(topic: string, record: LoggedRecord, event: FoundEvent): void {
    const digest = createHash('sha256')
      .update(record.value ?? NO_BYTES)
      .digest('hex');
    if (digest !== event.sha256) {
      this.findings.differs('event_bytes_differ', event.id, placeOf(record));
      return;
    }
    if (event.topic !== topic || event.stream !== record.key) {
      this.findings.differs('event_place_differs', event.id, placeOf(record));
      return;
    }
    this.#see(event);
  }

  /** Of an event that may come more than once only the first time counts. */
  #see({ position, previous, occurredAt, stream, topic, sequence = 0 }: FoundEvent): void {
    if (!this.#seen.add(position)) return;
    if (this.#overtaken.has(position)) this.findings.differs('event_out_of_order', stream, `${topic} ${sequence + 1}`);
    const isOld = occurredAt < this.window.from;
    if (previous !== undefined && !isOld && !this.#seen.has(previous)) this.#overtaken.add(previous);
  }

  /** What is no event of ours counts in the window in which it was written. */
  #unknown(record: LoggedRecord): void {
    const at = BigInt(Math.trunc(record.timestampMs)) * 1000n;
    if (at >= this.window.from && at < this.window.to) this.findings.differs('event_unknown', placeOf(record));
  }

  #countNotRetained(topic: string): void {
    this.#notRetained.set(topic, (this.#notRetained.get(topic) ?? 0) + 1);
  }

  /** An event may wait in the outbox, may have been published since, or long before the window by a wrong clock. */
  async #lookFurther(): Promise<void> {
    const waiting = await this.books.unpublished(this.#missing.map(({ id }) => id));
    const lost = this.#missing.filter(({ id }) => !waiting.has(id));
    for (const [topic, read] of this.#topics) {
      if (lost.some((event) => event.topic === topic)) await this.#readRest(topic, read);
    }
    const missing = this.#missing;
    this.#missing = [];
    for (const event of missing) {
      const place = `${event.topic} ${event.sequence ?? ''}`.trim();
      if (waiting.has(event.id)) this.findings.differs('event_unpublished', event.id, place);
      else if (this.#seen.has(event.position)) this.findings.counts.eventsFound += 1;
      else this.findings.differs('event_missing', event.id, place);
    }
  }

  /** What has not been read of the topic yet, at both its ends. */
  async #readRest(topic: string, read: ReadTopic): Promise<void> {
    const bounds = await this.log.bounds(topic);
    const { starts, ends } = read;
    read.starts = new Map(bounds.map(({ partition, low }) => [partition, low]));
    read.ends = new Map(bounds.map(({ partition, high }) => [partition, high]));
    const before = bounds.map(({ partition, low }) => ({ partition, from: low, to: starts.get(partition) ?? low }));
    const after = bounds.map(({ partition, high }) => ({ partition, from: ends.get(partition) ?? 0n, to: high }));
    // What was published before all that was read so far is late for nothing.
    await this.#readOn(topic, before, ({ position }) => this.#seen.add(position));
    await this.#readOn(topic, after, (event) => {
      this.#see(event);
    });
  }

  async #readOn(topic: string, ranges: readonly PartitionRange[], see: (event: FoundEvent) => void): Promise<void> {
    await this.log.read(topic, ranges.filter(isNotEmpty), async (records) => {
      throwIfAborted(this.signal);
      const known = await this.books.eventsById(records.map(idOf).filter((id) => id !== undefined));
      for (const record of records) {
        const event = known.get(idOf(record) ?? '');
        if (event?.topic === topic) see(event);
      }
    });
  }
}

const isNotEmpty = ({ from, to }: PartitionRange): boolean => from < to;
const lowOf = (bounds: readonly PartitionBounds[], partition: number): bigint | undefined =>
  bounds.find((each) => each.partition === partition)?.low;
const placeOf = ({ topic, partition, offset }: LoggedRecord): string => `${topic}/${partition}/${offset}`;

const NO_BYTES = new Uint8Array();

/** The id that a record claims to be; undefined for what is no event at all, or names its id twice. */
function idOf({ value }: LoggedRecord): string | undefined {
  const parsed = parseStrictJson(value ?? NO_BYTES, value?.byteLength);
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null || !('id' in parsed.value))
    return undefined;
  const { id } = parsed.value;
  return typeof id === 'string' && isUuid(id) ? id : undefined;
}
