/** What `WatchInputHandler` writes. Real: PostgreSQL. What stands in Kafka is said by the test. */
import {
  InputLog,
  WatchInputHandler,
  type DecidedMessage,
  type InputMark,
  type PartitionFacts,
  type UnitOfWork,
} from '@v402/application';
import { RetryableError } from '@v402/domain';
import { PgUnitOfWork } from '@v402/persistence';
import { DecoratedUnitOfWork } from '@v402/testing';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { sha256 } from '../support/records.js';
import { RecordedAlarms } from '../support/seams.js';

const TOPIC = 'contracts';
let database: TestDatabase;
let unitOfWork: PgUnitOfWork;
let admin: pg.Client;
let alarms: RecordedAlarms;

beforeAll(async () => {
  database = await createTestDatabase();
  unitOfWork = new PgUnitOfWork({ url: database.appUrl, applicationName: 'watch' });
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});

beforeEach(async () => {
  alarms = new RecordedAlarms();
  await admin.query('TRUNCATE v402.input_offset, v402.input_loss');
});

afterAll(async () => {
  await unitOfWork.close();
  await admin.end();
  await database.drop();
});

type Look = (marks: readonly InputMark[]) => Promise<readonly PartitionFacts[]>;

class SaidLog extends InputLog {
  constructor(private readonly say: Look) {
    super();
  }

  override look(_: string, marks: readonly InputMark[]): Promise<readonly PartitionFacts[]> {
    return this.say(marks);
  }
}

/** A partition in which ten messages are decided, the last of them as it was. */
const facts = (overrides: Partial<PartitionFacts> = {}): PartitionFacts => ({
  partition: 0,
  low: 0n,
  high: 10n,
  committed: 10n,
  lastDigest: sha256('9'),
  waiting: undefined,
  lookedTo: 10n,
  ...overrides,
});

const handlerOf = (say: Look, work: UnitOfWork = unitOfWork, name = 'intake-1'): WatchInputHandler =>
  new WatchInputHandler(work, new SaidLog(say), alarms, name);
const says =
  (...said: PartitionFacts[]): Look =>
  () =>
    Promise.resolve(said);

/** Says it when so many have read their marks: none of them looks at what another has left. */
const saysAtOnce = (count: number, ...said: PartitionFacts[]): Look => {
  let missing = count;
  const all = Promise.withResolvers<undefined>();
  return async () => {
    missing -= 1;
    if (missing === 0) all.resolve(undefined);
    await all.promise;
    return said;
  };
};

const decide = (offset: bigint, partition = 0): Promise<void> => {
  const message: DecidedMessage = { coordinates: { topic: TOPIC, partition, offset }, rawDigest: sha256(`${offset}`) };
  return unitOfWork.run((tx) => tx.input.advance([message]));
};

const rows = async (sql: string): Promise<unknown[]> => (await admin.query<Record<string, unknown>>(sql)).rows;
const losses = (): Promise<unknown[]> =>
  rows('SELECT code, partition, first_offset AS first, next_offset AS next, process FROM v402.input_loss ORDER BY id');
const marks = (): Promise<unknown[]> =>
  rows('SELECT partition, next_offset AS next, last_offset AS last FROM v402.input_offset ORDER BY partition');

const LOST = facts({ low: 15n, high: 20n, lastDigest: undefined, lookedTo: 10n });
const ANEW = facts({ high: 4n, lastDigest: undefined });
const MOVED = facts({ high: 20n, committed: 15n, waiting: 10n });

test('default: the first look marks every partition, and says where each of ours begins', async () => {
  const said = [facts({ committed: undefined, low: 3n }), facts({ partition: 1, committed: 4n })];
  const { begins, losses: found } = await handlerOf(says(...said)).look(TOPIC, [1]);
  expect([begins, found]).toEqual([new Map([[1, 4n]]), []]);
  expect(await marks()).toEqual([
    { partition: 0, next: '3', last: null },
    { partition: 1, next: '4', last: null },
  ]);
});

test('default: what is in order is noted, and the mark goes beyond control records', async () => {
  await decide(9n);
  await admin.query("UPDATE v402.input_offset SET updated_at = '2026-01-01'");
  await handlerOf(says(facts({ high: 12n, lookedTo: 12n }))).look(TOPIC, [0]);
  expect(await marks()).toEqual([{ partition: 0, next: '12', last: '9' }]);
  expect(await rows("SELECT FROM v402.input_offset WHERE updated_at > '2026-01-01'")).toHaveLength(1);
  expect(alarms.take()).toEqual([]);
});

test.each([
  ['input_lost', LOST, 15n, { first: '10', next: '15' }, '15'],
  ['input_topic_recreated', ANEW, 0n, { first: '10', next: null }, '0'],
  ['input_offsets_moved', MOVED, 10n, { first: '10', next: '15' }, '10'],
])(
  '%s: one row and one alarm, however many processes look, and however often',
  async (code, said, begin, row, next) => {
    await decide(9n);
    const names = ['intake-1', 'intake-2', 'intake-3', 'intake-4'];
    const look = saysAtOnce(names.length, said);
    const looks = await Promise.all(names.map((name) => handlerOf(look, unitOfWork, name).look(TOPIC, [0])));
    for (const { begins } of looks) expect(begins.get(0)).toBe(begin);
    expect(looks.flatMap((look) => look.losses)).toHaveLength(1);
    const process = expect.stringMatching(/^intake-\d$/) as unknown;
    expect(await losses()).toEqual([{ code, partition: 0, ...row, process }]);
    expect(alarms.take()).toMatchObject([{ code, context: { topic: TOPIC, partition: 0, firstOffset: '10' } }]);
    expect(await marks()).toMatchObject([{ next }]);
    await handlerOf(says(said)).look(TOPIC, [0]);
    expect([await losses(), alarms.take()]).toEqual([[expect.anything()], []]);
  },
);

test('input_partitions_added: told once for each, by whoever looks first', async () => {
  await decide(9n);
  const said = says(
    facts(),
    facts({ partition: 1, committed: undefined }),
    facts({ partition: 2, committed: undefined }),
  );
  await Promise.all(['a', 'b', 'c'].map((name) => handlerOf(said, unitOfWork, name).look(TOPIC, [0])));
  expect(await losses()).toMatchObject([
    { code: 'input_partitions_added', partition: 1, first: '0', next: null },
    { code: 'input_partitions_added', partition: 2, first: '0', next: null },
  ]);
  expect(alarms.take()).toHaveLength(2);
});

test('a partition that is not there any more went with the topic', async () => {
  await decide(9n);
  await decide(4n, 1);
  const { begins } = await handlerOf(says(facts())).look(TOPIC, [0, 1]);
  expect(begins).toEqual(
    new Map([
      [0, 10n],
      [1, 0n],
    ]),
  );
  expect(await losses()).toMatchObject([{ code: 'input_topic_recreated', partition: 1, first: '5' }]);
});

test('only partitions of ours are judged', async () => {
  await decide(9n);
  await handlerOf(says(LOST)).look(TOPIC, []);
  expect(await losses()).toEqual([]);
});

test('error: where Kafka does not answer, nothing is claimed', async () => {
  await decide(9n);
  const away = (): Promise<never> => Promise.reject(new RetryableError('broker_unavailable', 'Away.'));
  await expect(handlerOf(away).look(TOPIC, [0])).rejects.toMatchObject({ code: 'broker_unavailable' });
  expect([await losses(), alarms.take()]).toEqual([[], []]);
  expect(await marks()).toEqual([{ partition: 0, next: '10', last: '9' }]);
});

/** What is decided while the look is under way makes what it saw out of date. */
const overtaken: Look = async () => {
  await decide(19n);
  return [facts({ low: 15n, high: 20n, committed: 20n, lastDigest: undefined, lookedTo: 10n })];
};

test('behavior: what is decided while the look is under way is not lost', async () => {
  await decide(9n);
  await handlerOf(overtaken).look(TOPIC, [0]);
  expect([await losses(), await marks()]).toEqual([[], [{ partition: 0, next: '20', last: '19' }]]);
});

test('guard removed: the second look at the mark. Decided messages pass for lost', async () => {
  await decide(9n);
  const unguarded = new DecoratedUnitOfWork(unitOfWork, { input: () => ({ isStill: () => Promise.resolve(true) }) });
  await handlerOf(overtaken, unguarded).look(TOPIC, [0]);
  expect(await losses()).toMatchObject([{ code: 'input_lost', first: '10', next: '15' }]);
});

test('guard removed: one row for each state of the mark. The same move is told again after a crash', async () => {
  await decide(9n);
  const twice = async (): Promise<number> => {
    await handlerOf(says(MOVED)).look(TOPIC, [0]);
    await handlerOf(says(MOVED)).look(TOPIC, [0]);
    return alarms.take().length;
  };
  expect(await twice()).toBe(1);
  const unguarded = new DecoratedUnitOfWork(unitOfWork, { input: () => ({ recordLoss: () => Promise.resolve(true) }) });
  await handlerOf(says(MOVED), unguarded).look(TOPIC, [0]);
  expect(alarms.take()).toHaveLength(1);
});
