/** The parts of kafkajs that `kafkajs.ts` corrects or uses. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    throttleCheckTimeoutId: NodeJS.Timeout | null;
    throttledUntil: number;
    readonly pending: readonly unknown[];
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export interface Header {
    readonly key: string;
    readonly value: Buffer | null;
  }

  export default class Decoder {
    readVarInt(): number;
    readArray: (this: Decoder, readItem: (decoder: Decoder) => unknown) => Iterable<unknown>;
    readArrayAsync: (this: Decoder, readItem: (decoder: Decoder) => Promise<unknown>) => Promise<readonly unknown[]>;
    /** Called for the headers of a record alone, which are then reduced to an object. */
    readVarIntArray(readHeader: (decoder: Decoder) => Header): {
      reduce(collect: unknown, collected: object): Readonly<Record<string, readonly (Buffer | null)[]>>;
    };
  }
}

declare module 'kafkajs/src/protocol/requests/fetch/v11/response.js' {
  interface DecodedPartition {
    readonly messages: readonly { readonly offset: string }[];
  }

  /** Reads the body of a fetch response. */
  export function decode(
    response: Buffer,
  ): Promise<{ readonly responses: readonly { readonly partitions: readonly DecodedPartition[] }[] }>;
}

declare module 'kafkajs/src/consumer/offsetManager/index.js' {
  export default class OffsetManager {
    readonly groupId: string;
    readonly instrumentationEmitter: { emit(event: string, payload: unknown): void };
    /** Called where an offset is out of range, and nowhere else. */
    setDefaultOffset: (
      this: OffsetManager,
      partition: { readonly topic: string; readonly partition: number },
    ) => Promise<void>;
  }
}

declare module 'kafkajs/src/consumer/batch.js' {
  export interface FetchedRecord {
    readonly offset: string;
    readonly value: Buffer | null;
    readonly isControlRecord: boolean;
  }

  export interface FetchedPartition {
    readonly partition: number;
    readonly messages: readonly FetchedRecord[];
  }

  /** Sorts out what a fetch has brought from one partition. */
  export default class Batch {
    constructor(topic: string, fetchedOffset: string, data: FetchedPartition);
    /** From the offset on that was asked for. */
    readonly messagesWithinOffset: readonly FetchedRecord[];
    /** Without control records, and without what was aborted. */
    readonly messages: readonly FetchedRecord[];
  }
}
