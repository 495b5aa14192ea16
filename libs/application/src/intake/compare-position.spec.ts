import type { PartitionFacts } from '../ports/input-log.js';
import type { InputMark } from '../ports/input-store.js';
import { comparePosition, firstPosition, type Position } from './compare-position.js';

/** Offsets 0 to 9 are decided, the last of them as `ours`. */
const mark = (overrides: Partial<InputMark> = {}): InputMark => ({
  partition: 0,
  next: 10n,
  last: { offset: 9n, digest: 'ours' },
  knownAt: 1n,
  ...overrides,
});

/** All of it is still there, and nothing waits. */
const facts = (overrides: Partial<PartitionFacts> = {}): PartitionFacts => ({
  partition: 0,
  low: 0n,
  high: 10n,
  committed: 10n,
  lastDigest: 'ours',
  waiting: undefined,
  lookedTo: 10n,
  ...overrides,
});

const inOrder = (begin: bigint, next = 10n): Position => ({ begin, next, finding: undefined });

describe('in order', () => {
  test.each<[string, Partial<PartitionFacts>, Position]>([
    ['everything is decided', {}, inOrder(10n)],
    ['messages wait', { high: 20n, waiting: 10n, lookedTo: 10n }, inOrder(10n)],
    ['what was decided has left the topic, and no more', { low: 10n, lastDigest: undefined }, inOrder(10n)],
    ['the group is behind: what it takes again is a duplicate', { committed: 4n }, inOrder(4n)],
    ['the group is behind the beginning of the log', { committed: 2n, low: 5n }, inOrder(5n)],
    ['the group has lost its offset', { committed: undefined }, inOrder(10n)],
    [
      'the group has lost its offset, and nobody knows whether the topic is the same',
      { committed: undefined, low: 3n, lastDigest: undefined },
      inOrder(3n),
    ],
    ['the last message was compacted away', { lastDigest: undefined }, inOrder(10n)],
  ])('%s', (_, overrides, position) => {
    expect(comparePosition(mark(), facts(overrides))).toEqual(position);
  });

  test('of transactions only control records are left: the mark goes beyond them, and so may the group', () => {
    const markers = facts({ high: 13n, committed: 12n, lookedTo: 13n });
    expect(comparePosition(mark(), markers)).toEqual(inOrder(12n, 13n));
  });

  test('the group is beyond control records that a message follows', () => {
    const markers = facts({ high: 20n, committed: 12n, waiting: 12n, lookedTo: 12n });
    expect(comparePosition(mark(), markers)).toEqual(inOrder(10n));
  });

  test('a mark that was just set: the group goes back without an alarm', () => {
    const fresh = mark({ next: 0n, last: undefined });
    const ahead = facts({ committed: 40n, waiting: 0n, lookedTo: 0n, lastDigest: undefined });
    expect(comparePosition(fresh, ahead)).toEqual(inOrder(0n, 0n));
  });
});

describe('lost', () => {
  test('the log begins behind what is expected: exactly that is lost', () => {
    const begins = facts({ low: 15n, high: 20n, lastDigest: undefined, waiting: undefined, lookedTo: 10n });
    expect(comparePosition(mark(), begins)).toEqual({
      begin: 15n,
      next: 15n,
      finding: { code: 'input_lost', firstOffset: 10n, nextOffset: 15n },
    });
  });

  test('before the first message was decided', () => {
    const begins = facts({ low: 3n, high: 3n, committed: undefined, lastDigest: undefined });
    expect(comparePosition(mark({ next: 0n, last: undefined }), begins).finding).toEqual({
      code: 'input_lost',
      firstOffset: 0n,
      nextOffset: 3n,
    });
  });
});

describe('made anew', () => {
  const anew = (begin: bigint): Position => ({
    begin,
    next: begin,
    finding: { code: 'input_topic_recreated', firstOffset: 10n, nextOffset: undefined },
  });

  test.each<[string, Partial<PartitionFacts>, bigint]>([
    ['the topic ends before what was decided', { high: 4n, lastDigest: undefined }, 0n],
    ['it is empty', { high: 0n, committed: undefined, lastDigest: undefined }, 0n],
    ['it has outgrown what was decided: another message stands there', { high: 99n, lastDigest: 'theirs' }, 0n],
    ['a control record stands there', { high: 99n, lastDigest: null }, 0n],
    ['it begins later by now', { low: 2n, high: 5n, lastDigest: undefined }, 2n],
    ['it begins and ends later: not a loss as well', { low: 12n, high: 9n, lastDigest: undefined }, 12n],
  ])('%s', (_, overrides, begin) => {
    expect(comparePosition(mark(), facts(overrides))).toEqual(anew(begin));
  });
});

describe('offsets moved ahead', () => {
  test('within the log: messages would be skipped', () => {
    const ahead = facts({ high: 20n, committed: 15n, waiting: 12n, lookedTo: 12n });
    expect(comparePosition(mark(), ahead)).toEqual({
      begin: 10n,
      next: 10n,
      finding: { code: 'input_offsets_moved', firstOffset: 10n, nextOffset: 15n },
    });
  });

  test('beyond the end: nobody has reached it', () => {
    expect(comparePosition(mark(), facts({ committed: 1_000n }))).toEqual({
      begin: 10n,
      next: 10n,
      finding: { code: 'input_offsets_moved', firstOffset: 10n, nextOffset: 1_000n },
    });
  });
});

test.each<[string, Partial<PartitionFacts>, bigint]>([
  ['where the group says', { committed: 4n }, 4n],
  ['at the beginning, where it says nothing', { committed: undefined, low: 2n }, 2n],
  ['at the beginning, where nothing is at its offset any more', { committed: 1n, low: 2n }, 2n],
  ['at the beginning, where nothing is at its offset yet', { committed: 11n }, 0n],
])('a partition that nobody has read begins %s', (_, overrides, begin) => {
  expect(firstPosition(facts(overrides))).toBe(begin);
});
