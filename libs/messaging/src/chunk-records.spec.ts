import fc from 'fast-check';
import { chunkRecords } from './chunk-records.js';

const record = (bytes: number): { key: null; value: Buffer | null } => ({ key: null, value: Buffer.alloc(bytes) });
const sizes = (chunks: Iterable<readonly { value: Buffer | null }[]>): number[][] =>
  [...chunks].map((chunk) => chunk.map(({ value }) => value?.length ?? 0));

describe('chunkRecords', () => {
  it('cuts at the number of messages', () => {
    const chunks = chunkRecords([1, 2, 3, 4, 5].map(record), { maxMessages: 2, maxBytes: 100 });
    expect(sizes(chunks)).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('cuts at the number of bytes of keys and values', () => {
    const keyed = { key: Buffer.alloc(4), value: Buffer.alloc(3) };
    const chunks = chunkRecords([record(5), keyed, record(3)], { maxMessages: 10, maxBytes: 10 });
    expect(sizes(chunks)).toEqual([[5], [3, 3]]);
  });

  it('gives a record over the limit a chunk of its own', () => {
    const chunks = chunkRecords([1, 500, 1].map(record), { maxMessages: 10, maxBytes: 100 });
    expect(sizes(chunks)).toEqual([[1], [500], [1]]);
  });

  it('counts a tombstone as a message without bytes', () => {
    const tombstone = { key: null, value: null };
    expect([...chunkRecords([tombstone, tombstone], { maxMessages: 1, maxBytes: 1 })]).toHaveLength(2);
  });

  it('behavior: keeps every record, in order, within the limits', () => {
    const limits = fc.record({
      maxMessages: fc.integer({ min: 1, max: 6 }),
      maxBytes: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(fc.nat(50)), limits, (bytes, { maxMessages, maxBytes }) => {
        const chunks = sizes(chunkRecords(bytes.map(record), { maxMessages, maxBytes }));
        expect(chunks.flat()).toEqual(bytes);
        for (const chunk of chunks) {
          const total = chunk.reduce((sum, size) => sum + size, 0);
          expect(chunk.length).toBeGreaterThan(0);
          expect(chunk.length).toBeLessThanOrEqual(maxMessages);
          expect(total <= maxBytes || chunk.length === 1).toBe(true);
        }
      }),
    );
  });
});
