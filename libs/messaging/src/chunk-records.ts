/** What one handler call, and with it one transaction, may hold. A single record over `maxBytes` is a chunk of its own. */
export interface ChunkLimits {
  readonly maxMessages: number;
  /** Bytes of keys and values. */
  readonly maxBytes: number;
}

interface Sized {
  readonly key: { readonly length: number } | null;
  readonly value: { readonly length: number } | null;
}

/** Cuts records into consecutive chunks within the limits: every record once, in order, no chunk empty. */
export function* chunkRecords<T extends Sized>(records: Iterable<T>, limits: ChunkLimits): Generator<readonly T[]> {
  let chunk: T[] = [];
  let chunkBytes = 0;
  for (const record of records) {
    const bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0);
    const isFull = chunk.length >= limits.maxMessages || chunkBytes + bytes > limits.maxBytes;
    if (isFull && chunk.length > 0) {
      yield chunk;
      chunk = [];
      chunkBytes = 0;
    }
    chunk.push(record);
    chunkBytes += bytes;
  }
  if (chunk.length > 0) yield chunk;
}
