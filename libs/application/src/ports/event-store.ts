import type { ContractId, Micros } from '@v402/domain';
import type { StreamPosition } from './settlement-store.js';

/** An event as it will be published. */
export interface StoredEvent {
  /** UUID. */
  readonly id: string;
  readonly type: string;
  /** Hex: contractId, or the digest of a rejected message. Events of one stream are published in order. */
  readonly stream: string;
  readonly topic: string;
  readonly sequence: number | undefined;
  readonly occurredAt: Micros;
  readonly bytes: Uint8Array;
}

export interface PublishableEvent extends StoredEvent {
  /** Place in the outbox; ascending within a stream. */
  readonly place: bigint;
}

/** Under which names an event goes out. */
export interface EventNames {
  /** CloudEvents `source`. */
  readonly source: string;
  readonly topic: string;
}

export interface EventStore {
  /** Appends the events and puts them into the outbox. */
  append(events: readonly StoredEvent[]): Promise<void>;
  /** The names of the newest event of any of these streams; undefined where they have none. */
  namesOf(streams: readonly string[]): Promise<EventNames | undefined>;
  /** Stores how far the streams of these settlements have come. */
  savePositions(positions: ReadonlyMap<ContractId, StreamPosition>): Promise<void>;
  /**
   * Renews our leases on shards and takes free ones up to a fair share among the live owners.
   * @returns the shards that are ours for at least half of `leaseMs` from now
   */
  leaseShards(owner: string, leaseMs: number): Promise<readonly number[]>;
  /** Renews our leases that still run, and takes none. */
  renewShards(owner: string, leaseMs: number): Promise<void>;
  /** Gives all our shards back. */
  releaseShards(owner: string): Promise<void>;
  /** The oldest unpublished events of these shards, in outbox order, parked streams and the given topics left out. */
  unpublished(
    shards: readonly number[],
    limit: number,
    exceptTopics?: readonly string[],
  ): Promise<readonly PublishableEvent[]>;
  markPublished(events: readonly PublishableEvent[]): Promise<void>;
  /** Stops one stream: its next event can never be sent. */
  park(event: PublishableEvent, code: string): Promise<void>;
}
