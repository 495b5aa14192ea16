const BITS_PER_CHUNK = 1 << 16;

/** A set of whole numbers at one bit each, in chunks that are made when they are needed: a million neighbours take 125 KB. */
export class BitSet {
  readonly #chunks = new Map<number, Uint8Array>();

  /** @returns whether it is new */
  add(value: number): boolean {
    const at = Math.floor(value / BITS_PER_CHUNK);
    let chunk = this.#chunks.get(at);
    if (chunk === undefined) {
      chunk = new Uint8Array(BITS_PER_CHUNK / 8);
      this.#chunks.set(at, chunk);
    }
    const place = value % BITS_PER_CHUNK;
    const before = chunk[place >> 3] ?? 0;
    chunk[place >> 3] = before | (1 << (place & 7));
    return chunk[place >> 3] !== before;
  }

  has(value: number): boolean {
    const place = value % BITS_PER_CHUNK;
    const byte = this.#chunks.get(Math.floor(value / BITS_PER_CHUNK))?.[place >> 3] ?? 0;
    return (byte & (1 << (place & 7))) !== 0;
  }
}
