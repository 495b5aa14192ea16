/** The parts of kafkajs that `kafkajs.ts` corrects. */
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
