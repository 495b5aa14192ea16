import { setImmediate as turn } from 'node:timers/promises';
import type { Placement } from './consumer-settings.js';
import { StartPlaces } from './start-places.js';

const said: string[] = [];
const places = (
  place: Placement | undefined,
  commitAnswer: () => Promise<void> = () => Promise.reject(new Error('the group rebalances')),
): StartPlaces =>
  new StartPlaces(
    {
      pause: ([each]) => void said.push(`pause ${each?.partitions?.join()}`),
      resume: ([each]) => void said.push(`resume ${each?.partitions?.join()}`),
      seek: ({ partition, offset }) => void said.push(`seek ${partition} to ${offset}`),
      commitOffsets: (places) => {
        said.push(`commit ${places.map(({ offset }) => offset).join()}`);
        return commitAnswer();
      },
    },
    { place, backoff: { firstMs: 1, maxMs: 1 } },
    {
      failed: (_, partition) => {
        said.push(`failed ${partition}`);
        return 1;
      },
      succeeded: (_, partition) => void said.push(`succeeded ${partition}`),
    },
    20,
  );
const ASSIGNED = [{ topic: 'contracts', partitions: [0, 2] }];

const until = async (line: string): Promise<void> => {
  while (!said.includes(line)) await turn();
};

beforeEach(() => said.splice(0));

test('default: partitions are paused at once, and resumed where they begin', async () => {
  const started = places(() => Promise.resolve(new Map([[2, 7n]])));
  started.find(ASSIGNED);
  expect([said, started.areSought()]).toEqual([['pause 0,2'], true]);
  await until('resume 0,2');
  expect(said).toEqual(['pause 0,2', 'seek 2 to 7', 'commit 7', 'succeeded 0', 'succeeded 2', 'resume 0,2']);
  await turn();
  expect(started.areSought()).toBe(false);
});

test('error: a commit that nobody answers keeps nothing paused', async () => {
  const never = new Promise<void>(() => undefined);
  places(
    () => Promise.resolve(new Map([[2, 7n]])),
    () => never,
  ).find(ASSIGNED);
  await until('resume 0,2');
  expect(said).toContain('commit 7');
});

test('behavior: without a placement nothing waits', () => {
  places(undefined).find(ASSIGNED);
  expect(said).toEqual([]);
});

test('error: while nobody can say it stays paused, and is asked again', async () => {
  let asked = 0;
  places(() => {
    asked += 1;
    return asked < 3 ? Promise.reject(new Error('away')) : Promise.resolve(new Map([[0, 1n]]));
  }).find(ASSIGNED);
  await until('resume 0,2');
  expect(said.filter((line) => line === 'failed 0')).toHaveLength(2);
  expect(said.slice(-5)).toEqual(['seek 0 to 1', 'commit 1', 'succeeded 0', 'succeeded 2', 'resume 0,2']);
});

test('behavior: what an earlier assignment hears too late changes nothing', async () => {
  const answers: ((begins: ReadonlyMap<number, bigint>) => void)[] = [];
  const started = places(() => new Promise((resolve) => answers.push(resolve)));
  started.find(ASSIGNED);
  started.find([{ topic: 'contracts', partitions: [2] }]);
  answers[0]?.(new Map([[0, 1n]]));
  await turn();
  expect(said).toEqual(['pause 0,2', 'pause 2']);
  answers[1]?.(new Map([[2, 5n]]));
  await until('resume 2');
  expect(said.slice(2)).toEqual(['seek 2 to 5', 'commit 5', 'succeeded 2', 'resume 2']);
});

test('behavior: once it has ended, nothing is resumed', async () => {
  const started = places(() => Promise.reject(new Error('away')));
  started.find(ASSIGNED);
  started.end();
  await turn();
  expect([said, started.areSought()]).toEqual([['pause 0,2'], false]);
});
