import type { ContractId, DecimalText, Micros, OrderPlacementState, Side } from '@v402/domain';
import type { UnprovenCode } from '../reconciliation/difference-codes.js';
import type { ReconciliationReport } from '../reconciliation/report.js';
import type { KafkaCoordinates } from './evidence-store.js';
import type { InputLoss } from './input-store.js';

/** Moments of the database's clock: from `from` up to, but without, `to`. */
export interface Window {
  readonly from: Micros;
  readonly to: Micros;
}

/** An event as the database has it, without its bytes. */
export interface BookedEvent {
  readonly id: string;
  /** Hex: contractId, or the digest of a refused message. */
  readonly stream: string;
  readonly type: string;
  readonly topic: string;
  readonly sequence: number | undefined;
  readonly occurredAt: Micros;
  /** Hex SHA-256 of the bytes. */
  readonly sha256: string;
  /** Numbers all events of the database, in about the order in which they were appended. */
  readonly position: number;
}

/** An event that Kafka has, with the one that has to have been published before it. */
export interface FoundEvent extends BookedEvent {
  /** The position of the event before it in its stream and topic; undefined for the first. */
  readonly previous: number | undefined;
}

export interface BookedOrder {
  readonly side: Side;
  readonly state: OrderPlacementState;
  readonly orderNumber: string | undefined;
  /** Whether there is work left to do on it. */
  readonly hasWork: boolean;
  /** The contract that the order was created for, where this one took it over. */
  readonly adoptedFrom: ContractId | undefined;
  /** Another contract of the deal has taken the order over: it may say by now what that one says. */
  readonly passedOn: boolean;
}

export interface BookedRequest {
  readonly side: Side;
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
}

/** All that belongs to one settlement. */
export interface BookedSettlement {
  readonly contractId: ContractId;
  readonly acceptedAt: Micros;
  readonly current: boolean;
  readonly orderReference: string;
  readonly total: DecimalText;
  readonly canonical: Uint8Array;
  /** Its deal has an open hold. */
  readonly held: boolean;
  /** It took over what earlier contracts of its deal had asked for, so not all of that is announced on its own stream. */
  readonly adopter: boolean;
  readonly acceptances: number;
  readonly orders: readonly BookedOrder[];
  readonly legs: readonly (BookedRequest & { readonly amount: DecimalText })[];
  readonly deliveries: readonly BookedRequest[];
  readonly events: readonly BookedEvent[];
  /** How many events it has given a sequence, over all topics. */
  readonly sequences: number;
}

/** Something that waits for somebody, with what names it. */
export interface OpenItem {
  readonly subject: string;
  /** Stable code or reason. */
  readonly reason: string;
  readonly since: Micros;
}

/** Something that may have lost input: it happened after `knownAt` and before `noticedAt`. */
export interface BookedLoss extends InputLoss {
  readonly noticedAt: Micros;
}

/** What the database says for a reconciliation. Lists come in parts, so that any number of them fits into memory. */
export abstract class ReconciliationBooks {
  abstract now(): Promise<Micros>;
  /** All that were accepted in the window, at one moment. */
  abstract settlements(window: Window): AsyncIterable<readonly BookedSettlement[]>;
  /** All that were accepted before the window and have an event that occurred in it, at one moment. */
  abstract earlierSettlements(window: Window): AsyncIterable<readonly BookedSettlement[]>;
  /** The events that occurred in the window, but for those of settlements that were accepted in it. */
  abstract otherEvents(window: Window): AsyncIterable<readonly BookedEvent[]>;
  /** Accepted decisions of the window without a settlement, and how many there are in all. */
  abstract acceptances(window: Window): Promise<{ readonly count: number; readonly orphans: readonly string[] }>;
  /** Rejections and quarantined messages of the window that were not announced, and how many there are in all. */
  abstract refusals(window: Window): Promise<{ readonly count: number; readonly unannounced: readonly string[] }>;
  /** Those of the ids that are events of ours. */
  abstract eventsById(ids: readonly string[]): Promise<ReadonlyMap<string, FoundEvent>>;
  /** Those of the events that still wait to be published. */
  abstract unpublished(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Work that nobody does although it has been due since before the moment, of deals without an open hold. */
  abstract overdueWork(before: Micros, limit: number): Promise<readonly OpenItem[]>;
  abstract parkedStreams(limit: number): Promise<readonly OpenItem[]>;
  abstract openHolds(limit: number): Promise<readonly OpenItem[]>;
  /** Those of the digests whose message was decided. */
  abstract decidedDigests(digests: readonly string[]): Promise<ReadonlySet<string>>;
  /** Those of the contracts that were accepted or quarantined. */
  abstract decidedContracts(ids: readonly ContractId[]): Promise<ReadonlySet<ContractId>>;
  /** The digests of what was decided at these places, by `coordinatesKey`. */
  abstract decidedAt(coordinates: readonly KafkaCoordinates[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The next offset that intake expects, by partition. */
  abstract nextOffsets(topic: string): Promise<ReadonlyMap<number, bigint>>;
  /** Input that may have been lost within the window. */
  abstract losses(window: Window): Promise<readonly BookedLoss[]>;
  /**
   * Until when scheduled reconciliations that had nothing unproven of these codes have come without a gap: from `since` on,
   * or from the beginning of the first window of all where that is later; undefined before the first.
   */
  abstract lookedUntil(without: readonly UnprovenCode[], since: Micros): Promise<Micros | undefined>;
  /** The end of the latest window of which a scheduled reconciliation left nothing unproven; undefined before the first. */
  abstract provenUntil(): Promise<Micros | undefined>;
  /** What the last scheduled reconciliation found; undefined before the first. */
  abstract lastReport(): Promise<ReconciliationReport | undefined>;
}
