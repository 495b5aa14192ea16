import { createHash } from 'node:crypto';
import { InputLog, type InputMark, type PartitionFacts } from '@v402/application';
import { RetryableError } from '@v402/domain';
import type { Kafka } from 'kafkajs';
import { createKafka, type KafkaConnection, type KafkaLog } from './kafka-client.js';
import { failureCode } from './kafka-failure.js';
import { GroupConnection, type RecordsAt } from './kafkajs.js';
import { settledWithin } from './within.js';

/** Intake takes nothing meanwhile, so a look that comes to no end is begun anew. Large records on slow lines take long, too. */
const LOOK_WITHIN_MS = 60_000;
const CLOSE_WITHIN_MS = 2_000;

/** So many answers without a single message are looked through; what is left is looked at the next time. */
const MOST_ANSWERS = 20;

const NO_BYTES = new Uint8Array();
const NOTHING: RecordsAt = { records: [], first: undefined, end: 0n };

type Bounds = Pick<PartitionFacts, 'low' | 'high'>;

/** Looks at the contracts topic over a connection of its own, which lasts as long as the look. */
export class KafkaInputLog extends InputLog {
  readonly #kafka: Kafka;

  constructor(
    connection: KafkaConnection,
    log: KafkaLog,
    private readonly groupId: string,
    private readonly lookWithinMs = LOOK_WITHIN_MS,
  ) {
    super();
    this.#kafka = createKafka(connection, log);
  }

  override async look(topic: string, marks: readonly InputMark[]): Promise<readonly PartitionFacts[]> {
    const connection = new GroupConnection(this.#kafka, this.groupId);
    const looking = lookOver(connection, topic, marks);
    try {
      if (await settledWithin(looking, this.lookWithinMs)) return await looking;
    } catch (error) {
      const code = failureCode(error);
      if (code === null || error instanceof RetryableError) throw error;
      throw new RetryableError(code, 'Kafka could not be asked where intake begins.', { topic }, { cause: error });
    } finally {
      // What waits for an answer that does not come is closed when it has waited long enough.
      await settledWithin(connection.close(), CLOSE_WITHIN_MS);
    }
    // It may have opened connections after they were closed.
    void looking.catch(() => undefined).then(() => connection.close().catch(() => undefined));
    throw new RetryableError('broker_unavailable', 'Kafka did not say in time where intake begins.', { topic });
  }
}

async function lookOver(
  connection: GroupConnection,
  topic: string,
  marks: readonly InputMark[],
): Promise<readonly PartitionFacts[]> {
  await connection.open();
  const bounds = [...(await connection.bounds(topic))].sort(([one], [other]) => one - other);
  const partitions = bounds.map(([partition]) => partition);
  const committed = await connection.committed(topic, partitions);
  return Promise.all(
    bounds.map(async ([partition, { low, high }]) => {
      const mark = marks.find((each) => each.partition === partition);
      const seen = mark === undefined ? undefined : await lookAt(connection, topic, mark, { low, high });
      const { lastDigest, waiting, lookedTo = high } = seen ?? {};
      return { partition, low, high, committed: committed.get(partition), lastDigest, waiting, lookedTo };
    }),
  );
}

type Seen = Pick<PartitionFacts, 'lastDigest' | 'waiting' | 'lookedTo'>;

async function lookAt(connection: GroupConnection, topic: string, mark: InputMark, bounds: Bounds): Promise<Seen> {
  const { partition, next, last } = mark;
  const read = (offset: bigint): Promise<RecordsAt> => readAt(connection, topic, partition, offset);
  const [lastDigest, ahead] = await Promise.all([
    last !== undefined && isWithin(last.offset, bounds) ? digestAt(read, last.offset) : undefined,
    firstMessage(read, next, bounds),
  ]);
  return { lastDigest, ...ahead };
}

type Read = (offset: bigint) => Promise<RecordsAt>;

async function digestAt(read: Read, offset: bigint): Promise<string | null | undefined> {
  const { records } = await read(offset);
  const record = records.find((each) => BigInt(each.offset) === offset);
  if (record === undefined) return undefined;
  if (record.isControlRecord) return null;
  return createHash('sha256')
    .update(record.value ?? NO_BYTES)
    .digest('hex');
}

async function firstMessage(read: Read, next: bigint, bounds: Bounds): Promise<Pick<Seen, 'waiting' | 'lookedTo'>> {
  let at = next;
  for (let answers = 0; isWithin(at, bounds) && answers < MOST_ANSWERS; answers += 1) {
    const { first, end } = await read(at);
    if (first !== undefined) return { waiting: first, lookedTo: first };
    // A transaction that is still open hides what stands behind its beginning.
    if (end <= at) break;
    at = end;
  }
  return { waiting: undefined, lookedTo: at };
}

/** What retention has removed a moment ago cannot be read, nor what cannot be decompressed: nothing is known of it. */
async function readAt(
  connection: GroupConnection,
  topic: string,
  partition: number,
  offset: bigint,
): Promise<RecordsAt> {
  try {
    return await connection.readAt(topic, partition, offset);
  } catch (error) {
    const code = failureCode(error);
    if (code === 'offset_out_of_range' || code === 'compression_unsupported') return { ...NOTHING, end: offset };
    throw error;
  }
}

const isWithin = (offset: bigint, { low, high }: Bounds): boolean => offset >= low && offset < high;
