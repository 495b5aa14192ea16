import { createHash } from 'node:crypto';
import { readEnvelope } from '@v402/contract';
import { instantOfMicros, RetryableError } from '@v402/domain';
import { coordinatesKey } from '../ports/evidence-store.js';
import type { BookedLoss, ReconciliationBooks, Window } from '../ports/reconciliation-books.js';
import type { LoggedRecord, TopicLog } from '../ports/topic-log.js';
import type { Findings } from './report.js';
import { throwIfAborted } from './throw-if-aborted.js';

/** A record of the contracts topic with the digest of its value. */
interface Message extends LoggedRecord {
  readonly digest: string;
}

type InputBooks = Pick<
  ReconciliationBooks,
  'losses' | 'nextOffsets' | 'decidedAt' | 'decidedDigests' | 'decidedContracts'
>;

const NO_BYTES = new Uint8Array();

/**
 * Every message of the window that the contracts topic still holds has a decision, and none was lost before it had one.
 * @throws TerminalError `reconciliation_aborted` by the signal
 */
export async function compareInput(
  log: TopicLog,
  books: InputBooks,
  topic: string,
  window: Window,
  findings: Findings,
  settledBefore: bigint,
  signal: AbortSignal,
): Promise<void> {
  for (const loss of await books.losses(window)) sayLoss(loss, findings);
  try {
    await compareMessages(log, books, topic, window, findings, settledBefore, signal);
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    findings.unproven('topic_unread', topic, error.code);
  }
}

async function compareMessages(
  log: TopicLog,
  books: InputBooks,
  topic: string,
  window: Window,
  findings: Findings,
  settledBefore: bigint,
  signal: AbortSignal,
): Promise<void> {
  const bounds = await log.bounds(topic);
  const starts = await log.offsetsAt(topic, Number(window.from / 1000n));
  const ends = await log.offsetsAt(topic, Number(window.to / 1000n));
  const next = await books.nextOffsets(topic);
  const ranges = bounds.map(({ partition, low, high }) => ({
    partition,
    from: starts.get(partition) ?? low,
    to: ends.get(partition) ?? high,
  }));
  for (const { partition, low } of bounds) {
    const place = `${topic}/${partition}`;
    const expected = next.get(partition);
    // Whatever was deleted before intake came to it was never decided; all else that is gone was.
    if (expected !== undefined && expected < low)
      findings.differs('input_lost', place, `offsets ${expected} to ${low - 1n}`);
    // Nobody knows how far intake had come: only a record from before the window shows that it is here whole.
    const isWhole = low === 0n || (starts.get(partition) ?? low) > low;
    if (expected === undefined && !isWhole) findings.unproven('input_start_unknown', place, `offsets 0 to ${low - 1n}`);
  }
  await log.read(
    topic,
    ranges.filter(({ from, to }) => from < to),
    async (records) => {
      throwIfAborted(signal);
      const messages = records.map((record) => ({ ...record, digest: digestOf(record) }));
      findings.counts.messages += messages.length;
      const undecided = await undecidedOf(messages, books, findings);
      findings.counts.messagesDecided += messages.length - undecided.length;
      for (const message of undecided) sayUndecided(message, next.get(message.partition), findings, settledBefore);
    },
  );
}

/** Messages that nobody decided: not these bytes, not this contract under other bytes. */
async function undecidedOf(
  messages: readonly Message[],
  books: InputBooks,
  findings: Findings,
): Promise<readonly Message[]> {
  const decidedHere = await books.decidedAt(messages);
  for (const message of messages) {
    const digests = decidedHere.get(coordinatesKey(message));
    if (digests !== undefined && !digests.includes(message.digest)) {
      findings.differs('message_replaced', placeOf(message));
    }
  }
  const decided = await books.decidedDigests(messages.map(({ digest }) => digest));
  const others = messages.filter(({ digest }) => !decided.has(digest));
  // A contract that came before under other bytes is only counted.
  const identified = others.map((message) => ({ message, contractId: contractIdOf(message) }));
  const known = await books.decidedContracts(identified.flatMap(({ contractId }) => contractId ?? []));
  return identified.flatMap(({ message, contractId }) =>
    contractId !== undefined && known.has(contractId) ? [] : [message],
  );
}

function sayUndecided(message: Message, next: bigint | undefined, findings: Findings, settledBefore: bigint): void {
  const isBehind = next !== undefined && message.offset < next;
  const isYoung = BigInt(Math.trunc(message.timestampMs)) * 1000n >= settledBefore;
  if (isBehind) findings.differs('message_undecided', placeOf(message), message.digest);
  else if (isYoung) findings.counts.inFlight += 1;
  else findings.differs('message_waiting', placeOf(message), message.digest);
}

function sayLoss(
  { code, topic, partition, firstOffset, nextOffset, knownAt, noticedAt, process }: BookedLoss,
  findings: Findings,
): void {
  const offsets =
    nextOffset === undefined ? `from offset ${firstOffset} on` : `offsets ${firstOffset} to ${nextOffset - 1n}`;
  const times = `between ${instantOfMicros(knownAt)} and ${instantOfMicros(noticedAt)}`;
  findings.differs(code, `${topic}/${partition}`, `${offsets}, ${times}, noticed by ${process}`);
}

const digestOf = ({ value }: LoggedRecord): string =>
  createHash('sha256')
    .update(value ?? NO_BYTES)
    .digest('hex');

function contractIdOf({ value }: LoggedRecord): string | undefined {
  const read = readEnvelope(value ?? NO_BYTES);
  return read.ok ? read.identified.contractId : undefined;
}

const placeOf = ({ topic, partition, offset }: LoggedRecord): string => `${topic}/${partition}/${offset}`;
