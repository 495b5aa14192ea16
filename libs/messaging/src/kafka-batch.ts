import type { KafkaMessage } from 'kafkajs';

/** `LogAppendTime`: the broker's clock when the record arrived. `CreateTime`: whatever the producer wrote. */
export type TimestampType = 'LogAppendTime' | 'CreateTime';

/** One Kafka record as it arrived; nothing is parsed. */
export interface KafkaRecord {
  readonly offset: bigint;
  readonly key: Buffer | null;
  /** `null` is a tombstone; an empty buffer is an empty value. */
  readonly value: Buffer | null;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Who wrote `timestampMs`, told by the broker for the record itself. */
  readonly timestampType: TimestampType;
  /** The last value of each header; a null value counts for none. */
  readonly headers: ReadonlyMap<string, Buffer>;
}

/** Consecutive records of one partition, in offset order, never empty. Offsets may have gaps (compaction, transactions). */
export interface KafkaBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly KafkaRecord[];
}

/** Resolves once the batch is dealt with for good. Rejects to get the very same records again after a pause. */
export type KafkaBatchConsumer = (batch: KafkaBatch) => Promise<void>;

/** Total: nothing that a producer may write makes it throw, since a record that did would block its partition for ever. */
export function toKafkaRecord(message: KafkaMessage): KafkaRecord {
  return {
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    timestampMs: Number(message.timestamp),
    timestampType: timestampTypeOf(message),
    headers: lastHeaders(message.headers),
  };
}

const LOG_APPEND_TIME = 1;

/** kafkajs hands each record's batch header through, but leaves it out of its types. Without it the time is not trusted. */
function timestampTypeOf(message: object): TimestampType {
  const context: unknown = 'batchContext' in message ? message.batchContext : null;
  const isLogAppendTime =
    typeof context === 'object' &&
    context !== null &&
    'timestampType' in context &&
    context.timestampType === LOG_APPEND_TIME;
  return isLogAppendTime ? 'LogAppendTime' : 'CreateTime';
}

/** Kafka lets a producer write null for a value, and the same name many times; kafkajs's types know only the latter. */
function lastHeaders(headers: KafkaMessage['headers']): ReadonlyMap<string, Buffer> {
  const last = new Map<string, Buffer>();
  for (const [name, values] of Object.entries(headers ?? {})) {
    const value = [values].flat().findLast((candidate) => Buffer.isBuffer(candidate));
    if (value !== undefined) last.set(name, value);
  }
  return last;
}
