import type { DataOf } from '@v402/events';
import type { ContractId, Instant, Micros, SettlementFacts, SettlementState } from '@v402/domain';

/** Hex SHA-256 of the JCS form of [negotiationId, buyer, seller]: 64 characters. */
export type DealKey = string;

export interface DealRecord {
  readonly key: DealKey;
  readonly negotiationId: string;
  readonly buyer: string;
  readonly seller: string;
}

/** Why a hold was placed, with references to what shows it: the event's own words. */
export type HoldCause =
  DataOf<'org.v402.hold.placed.v1'> extends infer Data
    ? Data extends { readonly reason: infer Reason; readonly evidence: infer Evidence }
      ? { readonly reason: Reason; readonly evidence: Evidence }
      : never
    : never;

/** Why nothing new may start on a deal until a person has looked at it. */
export interface HoldRecord {
  readonly id: string;
  readonly dealKey: DealKey;
  /** The settlement on whose stream the hold is announced. */
  readonly contractId: ContractId;
  readonly cause: HoldCause;
  readonly placedBy: string;
}

export interface DealStore {
  /** Inserts those that are missing, in key order. */
  insertMissing(deals: readonly DealRecord[]): Promise<void>;
  /** Locks the existing ones of these deals, in key order, until the transaction ends. */
  lock(keys: readonly DealKey[]): Promise<void>;
  /** Which of these deals have an open hold. */
  held(keys: readonly DealKey[]): Promise<ReadonlySet<DealKey>>;
  placeHolds(holds: readonly HoldRecord[]): Promise<void>;
}

/** Last sequence given out per topic of one settlement's events, and when the last event occurred. */
export interface StreamPosition {
  readonly settlement: number;
  readonly payments: number;
  readonly deliveries: number;
  readonly lastEventAt: Micros | undefined;
}

export interface SettlementRecord {
  readonly contractId: ContractId;
  readonly dealKey: DealKey;
  readonly current: boolean;
  readonly state: SettlementState;
  readonly shortRef: string;
  readonly orderReference: string;
  /** The RFC 8785 bytes of the contract. */
  readonly canonical: Uint8Array;
  readonly traceparent: string | undefined;
  readonly position: StreamPosition;
}

export interface NewSettlement extends SettlementRecord {
  readonly supersedes: ContractId | undefined;
  readonly currency: string;
  readonly total: string;
  readonly agreedAt: Instant;
  readonly expiresAt: Instant;
  readonly acceptedAt: Micros;
}

/** What intake has to know of an accepted contract. */
export interface AcceptedContract extends Omit<SettlementRecord, 'canonical'> {
  readonly facts: SettlementFacts;
}

export interface SettlementStore {
  /** Which of these contracts were accepted before. Takes no lock. */
  accepted(ids: readonly ContractId[]): Promise<ReadonlySet<ContractId>>;
  /** Locks every settlement of these deals, in contractId order. */
  lockOfDeals(keys: readonly DealKey[]): Promise<readonly AcceptedContract[]>;
  /** Locks these settlements, in contractId order. */
  lock(ids: readonly ContractId[]): Promise<readonly SettlementRecord[]>;
  /** Reads these settlements without a lock. */
  read(ids: readonly ContractId[]): Promise<readonly SettlementRecord[]>;
  insert(settlements: readonly NewSettlement[]): Promise<void>;
  /** Takes `current` from these, so that another contract of the deal can have it. */
  retire(ids: readonly ContractId[]): Promise<void>;
  /** Makes this the current contract of its deal, which has none now. */
  makeCurrent(id: ContractId): Promise<void>;
  countDuplicates(counts: ReadonlyMap<ContractId, number>): Promise<void>;
  /** Stores the state that follows from the orders, legs and deliveries as they are now. */
  deriveStates(ids: readonly ContractId[]): Promise<void>;
}
