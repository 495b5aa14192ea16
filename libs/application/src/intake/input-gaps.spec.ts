import type { KafkaCoordinates } from '../ports/evidence-store.js';
import { Alarms } from '../ports/seams.js';
import { InputGaps } from './input-gaps.js';

class RecordedAlarms extends Alarms {
  readonly contexts: Readonly<Record<string, string | number>>[] = [];

  override raise(code: string, _message: string, context: Readonly<Record<string, string | number>>): void {
    this.contexts.push({ code, ...context });
  }
}

const at = (offset: bigint, partition = 0): KafkaCoordinates => ({ topic: 'contracts', partition, offset });

const expecting = (...next: (bigint | undefined | Error)[]): { nextOffset: () => Promise<bigint | undefined> } => ({
  nextOffset: () => {
    const answer = next.shift();
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  },
});

let alarms: RecordedAlarms;
let gaps: InputGaps;

beforeEach(() => {
  alarms = new RecordedAlarms();
  gaps = new InputGaps(alarms);
});

test.each<[string, bigint | undefined, bigint, number]>([
  ['a partition that nobody has read before', undefined, 7n, 0],
  ['the message that is expected', 7n, 7n, 0],
  ['a redelivery', 7n, 5n, 0],
  ['the control record of a transaction', 7n, 8n, 0],
  ['messages missing', 7n, 9n, 1],
])('%s', async (_, expected, found, count) => {
  await gaps.check(expecting(expected), [at(found), at(found + 1n)]);
  expect(alarms.contexts).toHaveLength(count);
});

test('the alarm says what is missing', async () => {
  await gaps.check(expecting(7n), [at(12n, 3)]);
  expect(alarms.contexts).toEqual([
    { code: 'input_gap', topic: 'contracts', partition: 3, expectedOffset: '7', foundOffset: '12' },
  ]);
});

test('each partition is judged by its own first message', async () => {
  await gaps.check(expecting(1n, 5n), [at(1n, 0), at(2n, 0), at(9n, 1), at(10n, 1)]);
  expect(alarms.contexts).toMatchObject([{ partition: 1, foundOffset: '9' }]);
});

test('a batch that continues the one before needs no look at the database', async () => {
  await gaps.check(expecting(1n), [at(1n), at(2n)]);
  expect(gaps.next([at(1n), at(2n), at(4n, 1)])).toEqual([at(3n), at(5n, 1)]);
  await gaps.check(expecting(new Error('must not be asked')), [at(3n), at(5n, 1)]);
  expect(alarms.contexts).toEqual([]);
});

test('the same batch again raises no second alarm', async () => {
  await gaps.check(expecting(1n), [at(5n)]);
  await gaps.check(expecting(1n), [at(5n)]);
  expect(alarms.contexts).toHaveLength(1);
});

test('where the database could not be asked, the batch is checked when it comes again', async () => {
  await expect(gaps.check(expecting(new Error('away')), [at(5n)])).rejects.toThrow('away');
  await gaps.check(expecting(1n), [at(5n)]);
  expect(alarms.contexts).toMatchObject([{ expectedOffset: '1', foundOffset: '5' }]);
});
