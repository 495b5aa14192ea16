import './kafkajs.js';
import { decode } from 'kafkajs/src/protocol/requests/fetch/v11/response.js';

const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);

/** Kafka's signed variable-length integer of a number from 0 on. */
const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
};

/** A record without key, value and headers: the smallest that there is. */
const tombstone = (offset: number): number[] => {
  const content = [0, 0, ...varint(offset), 1, 1, 0];
  return [...varint(content.length), ...content];
};

/** A record batch as the broker stores it, with the broker's time. */
const batchOf = (firstOffset: number, count: number): Buffer => {
  const records = Buffer.from(Array.from({ length: count }, (_, offset) => tombstone(offset)).flat());
  const header = Buffer.alloc(49);
  header.writeInt8(2, 4); // the format's version
  header.writeInt16BE(0x08, 9); // the broker's time
  header.writeInt32BE(count - 1, 11);
  header.writeInt32BE(count, 45);
  const place = Buffer.alloc(12);
  place.writeBigInt64BE(BigInt(firstOffset));
  place.writeInt32BE(header.length + records.length, 8);
  return Buffer.concat([place, header, records]);
};

/** A fetch response with one partition. */
const responseOf = (...batches: Buffer[]): Buffer => {
  const records = Buffer.concat(batches);
  const partition = [int32(0), Buffer.alloc(2 + 3 * 8), int32(-1), int32(-1), int32(records.length), records];
  return Buffer.concat([Buffer.alloc(10), int32(1), text('topic'), int32(1), ...partition]);
};

const offsetsOf = async (...batches: Buffer[]): Promise<string[]> => {
  const { responses } = await decode(responseOf(...batches));
  return responses.flatMap(({ partitions }) =>
    partitions.flatMap(({ messages }) => messages.map(({ offset }) => offset)),
  );
};

test('a batch of more records than a call has arguments is read whole, among others and in order', async () => {
  const offsets = await offsetsOf(batchOf(0, 2), batchOf(2, 200_000), batchOf(200_002, 10_001), batchOf(210_003, 1));
  expect(offsets).toHaveLength(210_004);
  expect(offsets.every((offset, index) => Number(offset) === index)).toBe(true);
});

test('a compressed batch is refused before it is decompressed', async () => {
  const compressed = batchOf(0, 1);
  compressed.writeInt16BE(0x01, 21);
  await expect(offsetsOf(compressed)).rejects.toMatchObject({ name: 'KafkaJSNotImplemented' });
});
