import type { Refusal } from '@v402/domain';
import { safePointer } from './json-pointer.js';

/** Kafka's default maximum for a message, less its overhead (section 3). */
export const MAX_BYTES = 1_000_000;
const MAX_DEPTH = 16;

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

export type StrictJsonResult =
  { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly refusal: Refusal };

class MalformedJson extends Error {}

const WHITE_SPACE = /[ \t\n\r]*/y;
/** Everything a string may hold unescaped; one match runs over the longest stretch without an escape. */
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Reads one text. Recursion is bounded by the depth that section 3 allows. Objects are ordinary ones, but every member is
 * an own property, `__proto__` included.
 */
class Reader {
  private position = 0;
  private readonly path: (string | number)[] = [];
  duplicateAt: string | undefined;

  constructor(private readonly text: string) {}

  read(): JsonValue {
    this.skipWhiteSpace();
    const value = this.readValue(0);
    if (this.position !== this.text.length) throw new MalformedJson();
    return value;
  }

  private readValue(depth: number): JsonValue {
    const value = this.readBareValue(depth);
    this.skipWhiteSpace();
    return value;
  }

  private readBareValue(depth: number): JsonValue {
    switch (this.text.charAt(this.position)) {
      case '"':
        return this.readString();
      case '{':
        return this.readObject(depth + 1);
      case '[':
        return this.readArray(depth + 1);
      case 't':
        return this.readLiteral('true', true);
      case 'f':
        return this.readLiteral('false', false);
      case 'n':
        return this.readLiteral('null', null);
      default:
        return this.readInteger();
    }
  }

  private readObject(depth: number): JsonValue {
    this.open(depth);
    const object: Record<string, JsonValue> = {};
    if (this.take('}')) return object;
    do {
      this.skipWhiteSpace();
      if (this.text[this.position] !== '"') throw new MalformedJson();
      const name = this.readString();
      this.skipWhiteSpace();
      if (!this.take(':')) throw new MalformedJson();
      this.skipWhiteSpace();
      this.path.push(name);
      // The text is read to its end first: what follows may be malformed, and that is said before a duplicate.
      if (Object.hasOwn(object, name)) this.duplicateAt ??= safePointer(this.path);
      setOwn(object, name, this.readValue(depth));
      this.path.pop();
    } while (this.take(','));
    if (!this.take('}')) throw new MalformedJson();
    return object;
  }

  private readArray(depth: number): JsonValue {
    this.open(depth);
    const array: JsonValue[] = [];
    if (this.take(']')) return array;
    do {
      this.skipWhiteSpace();
      this.path.push(array.length);
      array.push(this.readValue(depth));
      this.path.pop();
    } while (this.take(','));
    if (!this.take(']')) throw new MalformedJson();
    return array;
  }

  private open(depth: number): void {
    if (depth > MAX_DEPTH) throw new MalformedJson();
    this.position += 1;
    this.skipWhiteSpace();
  }

  private readString(): string {
    const start = this.position;
    this.position += 1;
    this.match(PLAIN_CHARACTERS);
    if (this.take('"')) return this.text.slice(start + 1, this.position - 1);
    while (!this.take('"')) {
      if (this.match(ESCAPE) === 0) throw new MalformedJson();
      this.match(PLAIN_CHARACTERS);
    }
    // The grammar is checked, so the platform's own reader may unescape it.
    const unescaped = String(JSON.parse(this.text.slice(start, this.position)));
    if (LONE_SURROGATE.test(unescaped)) throw new MalformedJson();
    return unescaped;
  }

  private readInteger(): number {
    const start = this.position;
    if (this.match(INTEGER) === 0) throw new MalformedJson();
    const value = Number(this.text.slice(start, this.position));
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new MalformedJson();
    return value;
  }

  private readLiteral<T extends boolean | null>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.position)) throw new MalformedJson();
    this.position += word.length;
    return value;
  }

  private skipWhiteSpace(): void {
    // Most texts have none: a comparison is cheaper than the pattern.
    if (this.text.charCodeAt(this.position) <= 0x20) this.match(WHITE_SPACE);
  }

  private take(character: string): boolean {
    if (this.text[this.position] !== character) return false;
    this.position += 1;
    return true;
  }

  /** Moves past what a sticky pattern matches here and returns its length, 0 where it does not match. */
  private match(pattern: RegExp): number {
    pattern.lastIndex = this.position;
    const length = pattern.test(this.text) ? pattern.lastIndex - this.position : 0;
    this.position += length;
    return length;
  }
}

function setOwn(object: Record<string, JsonValue>, name: string, value: JsonValue): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
}

/** A byte-order mark is kept in the text, where the grammar has no place for it. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new MalformedJson('The bytes are not UTF-8.', { cause });
  }
}

/**
 * Reads the bytes of one message as the strict JSON of section 3, in one pass.
 * Refuses with `too_large`, `malformed_json` or `duplicate_key`, in this order.
 * @param maxBytes the limit of a message unless told: other documents may be larger
 */
export function parseStrictJson(bytes: Uint8Array, maxBytes: number = MAX_BYTES): StrictJsonResult {
  if (bytes.byteLength > maxBytes) return { ok: false, refusal: { code: 'too_large' } };
  try {
    const reader = new Reader(decodeUtf8(bytes));
    const value = reader.read();
    if (reader.duplicateAt === undefined) return { ok: true, value };
    return { ok: false, refusal: { code: 'duplicate_key', where: reader.duplicateAt } };
  } catch (error) {
    if (error instanceof MalformedJson) return { ok: false, refusal: { code: 'malformed_json' } };
    throw error;
  }
}
