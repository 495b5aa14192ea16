import kafkajs, {
  type Broker,
  type Cluster,
  type Consumer,
  type Kafka as KafkaClient,
  type PartitionAssigner,
} from 'kafkajs';
import { RetryableError } from '@v402/domain';
import Batch, { type FetchedPartition, type FetchedRecord } from 'kafkajs/src/consumer/batch.js';
import OffsetManager from 'kafkajs/src/consumer/offsetManager/index.js';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import Decoder from 'kafkajs/src/protocol/decoder.js';

/**
 * The one door to kafkajs 2.2.4. The version is pinned exactly, since some of its methods are replaced here.
 *
 * At rest it computes the delay of its throttle check as `-1 - now`, and Node.js from 24 on warns of every negative time-out
 * (kafkajs issue 1751). The check below sets a timer only while a request waits.
 */
const PENDING_CHECK_MS = 10;

RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null) return;
  const throttledForMs = this.throttledUntil - Date.now();
  if (throttledForMs <= 0 && this.pending.length === 0) return;
  const check = (): void => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  };
  this.throttleCheckTimeoutId = setTimeout(check, throttledForMs > 0 ? throttledForMs : PENDING_CHECK_MS);
};

/**
 * It collects the headers of a record by copying, for each, all before it: 4,000 headers take seconds, and tens of thousands,
 * which Kafka lets any producer write, stop the process for minutes. Here each is touched once.
 */
Decoder.prototype.readVarIntArray = function (this: Decoder, readHeader) {
  const byName = new Map<string, (Buffer | null)[]>();
  const count = this.readVarInt();
  for (let i = 0; i < count; i += 1) {
    const { key, value } = readHeader(this);
    const values = byName.get(key);
    if (values === undefined) byName.set(key, [value]);
    else values.push(value);
  }
  return { reduce: () => Object.fromEntries(byName) };
};

/** A call takes so many arguments with certainty: about 120,000 end in a stack overflow. */
const MOST_ARGUMENTS = 10_000;

/** Records of one batch that are spread as a single item. */
class PackedRecords {
  constructor(readonly records: readonly unknown[]) {}

  *[Symbol.iterator](): Generator<PackedRecords> {
    yield this;
  }
}

/**
 * It joins the batches of a fetch by passing all records of each as arguments of one call. A batch may hold any number, and one
 * of 130,000 tombstones, a megabyte, would make every fetch of its partition fail for ever. Here a large batch goes as one
 * argument, and is unpacked where the partition is complete.
 */
const { readArray, readArrayAsync } = Decoder.prototype;

Decoder.prototype.readArray = function <T>(this: Decoder, readItem: (decoder: Decoder) => T) {
  const items = readArray.call(this, readItem) as T[];
  const [first] = items;
  const isRecords = typeof first === 'object' && first !== null && 'batchContext' in first;
  return isRecords && items.length > MOST_ARGUMENTS ? new PackedRecords(items) : items;
};

Decoder.prototype.readArrayAsync = async function <T>(this: Decoder, readItem: (decoder: Decoder) => Promise<T>) {
  const items = (await readArrayAsync.call(this, readItem)) as T[];
  for (const item of items) {
    const holdsMessages = typeof item === 'object' && item !== null && 'messages' in item;
    if (holdsMessages && Array.isArray(item.messages)) item.messages = unpacked(item.messages);
  }
  return items;
};

function unpacked(messages: readonly unknown[]): readonly unknown[] {
  if (!messages.some((message) => message instanceof PackedRecords)) return messages;
  return messages.flatMap((message) => (message instanceof PackedRecords ? message.records : [message]));
}

/**
 * It decompresses gzip without a limit: a batch of 12 MB could become 12 GB. So no codec is read; the broker stores the input
 * uncompressed (`compression.type=uncompressed`) and refuses a batch that is too large then.
 */
const NotImplemented: new (message: string) => Error = kafkajs.KafkaJSNotImplemented;
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP] = () => {
  throw new NotImplemented('Compressed records are not read');
};

/**
 * Where a consumer's offset is out of range, kafkajs goes to the beginning of what is left and says nothing. Here the consumer
 * ends, so that whoever starts the next one can look at what is missing, and say where it begins.
 */
OffsetManager.prototype.setDefaultOffset = function (this: OffsetManager, { topic, partition }) {
  const message = 'The offset that a consumer would read next is not in the log.';
  const error = new RetryableError('offset_out_of_range', message, { topic, partition });
  this.instrumentationEmitter.emit('consumer.crash', { error, groupId: this.groupId, restart: false });
  return Promise.reject(error);
};

export const { ConfigResourceTypes, Kafka, Partitioners, logLevel } = kafkajs;

/** The broker that coordinates a consumer group. kafkajs has these requests and does not type them. */
interface GroupCoordinator extends Pick<Broker, 'offsetFetch'> {
  describeGroups(request: { readonly groupIds: readonly string[] }): Promise<{
    readonly groups: readonly { readonly members: readonly GroupMember[] }[];
  }>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

export interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
}

/** Of transactions only what was committed, as consumers get it. */
const READ_COMMITTED = 1;

/** What stands in a partition from an offset on, as far as one answer goes. */
export interface RecordsAt {
  /** All of it, control records as well. */
  readonly records: readonly FetchedRecord[];
  /** The first that a consumer is handed; undefined where it is handed none of them. */
  readonly first: bigint | undefined;
  /** The offset after the last of them. */
  readonly end: bigint;
}

interface FetchResponse {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

/**
 * Asks about a consumer group and acts for its members, without being one. kafkajs shows a consumer's connections to the
 * assigner of its partitions alone: hence a consumer that never runs.
 */
export class GroupConnection {
  readonly #consumer: Consumer;
  #cluster: Cluster | undefined;

  constructor(
    kafka: KafkaClient,
    private readonly groupId: string,
  ) {
    const assigner: PartitionAssigner = (config) => {
      this.#cluster = config.cluster;
      return kafkajs.PartitionAssigners.roundRobin(config);
    };
    this.#consumer = kafka.consumer({ groupId, partitionAssigners: [assigner], allowAutoTopicCreation: false });
  }

  async open(): Promise<void> {
    await this.#consumer.connect();
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect();
  }

  async members(): Promise<readonly GroupMember[]> {
    const coordinator = await this.#coordinator();
    const { groups } = await coordinator.describeGroups({ groupIds: [this.groupId] });
    return groups.flatMap(({ members }) => members);
  }

  /** Rejects where the member is not there any more. */
  async leave(memberId: string): Promise<void> {
    const coordinator = await this.#coordinator();
    await coordinator.leaveGroup({ groupId: this.groupId, memberId });
  }

  /** What the group has committed for the partitions; without those that it has committed nothing for. */
  async committed(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, bigint>> {
    const coordinator = await this.#coordinator();
    // The offset is asked for: what stands there counts for nothing.
    const asked = [{ topic, partitions: partitions.map((partition) => ({ partition, offset: '0' })) }];
    const { responses } = await coordinator.offsetFetch({ groupId: this.groupId, topics: asked });
    const offsets = responses.flatMap((response) => response.partitions);
    return new Map(
      offsets.flatMap(({ partition, offset }) => (BigInt(offset) < 0n ? [] : [[partition, BigInt(offset)] as const])),
    );
  }

  /** The first and the next offset of every partition of a topic. */
  async bounds(topic: string): Promise<ReadonlyMap<number, { readonly low: bigint; readonly high: bigint }>> {
    const cluster = this.#connected();
    await cluster.addTargetTopic(topic);
    const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId }));
    const [highs] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: false }]);
    const [lows] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: true }]);
    const low = new Map(lows?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
    return new Map(
      highs?.partitions.map(({ partition, offset }) => {
        const high = BigInt(offset);
        return [partition, { low: low.get(partition) ?? high, high }];
      }),
    );
  }

  /** Reads the record batch at the offset, and what follows it in the same answer. Waits for nothing. */
  async readAt(topic: string, partition: number, offset: bigint): Promise<RecordsAt> {
    const cluster = this.#connected();
    const [nodeId = ''] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
    const broker = await cluster.findBroker({ nodeId });
    const partitions = [{ partition, fetchOffset: offset.toString(), maxBytes: 1 }];
    const request = { isolationLevel: READ_COMMITTED, maxWaitTime: 0, topics: [{ topic, partitions }] };
    // However few bytes are asked for, the first record batch comes whole.
    const { responses } = (await broker.fetch(request)) as FetchResponse;
    const [data] = responses.flatMap((response) => response.partitions);
    if (data === undefined) return { records: [], first: undefined, end: offset };
    const batch = new Batch(topic, offset.toString(), data);
    const last = batch.messagesWithinOffset.at(-1);
    return {
      records: batch.messagesWithinOffset,
      first: batch.messages[0] && BigInt(batch.messages[0].offset),
      end: last === undefined ? offset : BigInt(last.offset) + 1n,
    };
  }

  #connected(): Cluster {
    if (this.#cluster === undefined) throw new Error('kafkajs has asked for no assigner.');
    return this.#cluster;
  }

  async #coordinator(): Promise<GroupCoordinator> {
    return (await this.#connected().findGroupCoordinator({ groupId: this.groupId })) as Broker & GroupCoordinator;
  }
}
