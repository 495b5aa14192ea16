import type { PartitionFacts } from '../ports/input-log.js';
import type { InputLoss, InputMark } from '../ports/input-store.js';

/** What follows from comparing what was decided with what stands in the topic. */
export interface Position {
  /** Where intake begins. What it takes again is without effect. */
  readonly begin: bigint;
  /** The offset that is expected next from now on. */
  readonly next: bigint;
  readonly finding: Pick<InputLoss, 'code' | 'firstOffset' | 'nextOffset'> | undefined;
}

/**
 * Compares a partition with its mark. The order of the questions matters: of a topic that was made anew, offsets tell
 * nothing else.
 *
 * Control records, which end each transaction, and records of aborted transactions have offsets and are never handed to a
 * consumer: `next` may stand before some of them, and a committed offset behind them. They are no loss: the log begins at
 * `low` because what stood before was removed, never because of what is not shown. Removed they would look like lost
 * messages, so a mark is moved beyond them as long as they are there to be looked at.
 */
export function comparePosition(mark: InputMark, facts: PartitionFacts): Position {
  const { low, high, committed, waiting } = facts;
  if (isAnew(mark, facts)) {
    const finding = { code: 'input_topic_recreated', firstOffset: mark.next, nextOffset: undefined } as const;
    return { begin: low, next: low, finding };
  }
  if (low > mark.next) {
    return { begin: low, next: low, finding: { code: 'input_lost', firstOffset: mark.next, nextOffset: low } };
  }
  const next = waiting === undefined ? later(mark.next, facts.lookedTo) : mark.next;
  return { begin: beginOf(mark, next, facts), next, finding: movedOf(mark, committed, high, waiting) };
}

/** Where a partition begins that nobody has read before: where the group says, if it says anything that is there. */
export function firstPosition({ low, high, committed }: PartitionFacts): bigint {
  return committed !== undefined && committed >= low && committed <= high ? committed : low;
}

/** The topic ends before what was decided, or another record stands where one was: it was made anew, or cut off. */
function isAnew({ next, last }: InputMark, { low, high, lastDigest }: PartitionFacts): boolean {
  if (high < next) return true;
  return last !== undefined && last.offset >= low && lastDigest !== undefined && lastDigest !== last.digest;
}

/** The group's offset lets an operator go back, never ahead: what it would skip nobody has decided. */
function beginOf(mark: InputMark, next: bigint, { low, committed, lastDigest }: PartitionFacts): bigint {
  if (committed === undefined) return mark.last !== undefined && lastDigest === mark.last.digest ? next : low;
  return later(low, earlier(committed, next));
}

/** An offset beyond the end is one that nobody has reached; one within skips messages only if there are some. */
function movedOf(
  { next, last }: InputMark,
  committed: bigint | undefined,
  high: bigint,
  waiting: bigint | undefined,
): Position['finding'] {
  // Of a mark that was just set, the group's offset knows nothing yet.
  if (committed === undefined || last === undefined) return undefined;
  const skipsMessages = waiting !== undefined && waiting < committed;
  if (!skipsMessages && committed <= high) return undefined;
  return { code: 'input_offsets_moved', firstOffset: next, nextOffset: committed };
}

const later = (one: bigint, other: bigint): bigint => (one > other ? one : other);
const earlier = (one: bigint, other: bigint): bigint => (one < other ? one : other);
