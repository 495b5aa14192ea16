import type { KeyEvidence } from '@v402/contract';
import type { Arrival, ContractId, RefusalCode, Side } from '@v402/domain';

/** Where a message stands in Kafka. */
export interface KafkaCoordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export type DecidedMessage = Pick<DecisionRecord, 'coordinates' | 'rawDigest'>;

/** Bytes of a message as they came. Over 1,000,000 bytes the first 4 KiB are kept, and the digest of all. */
export interface RawMessage {
  /** Hex SHA-256 of the whole value. */
  readonly digest: string;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
}

/** Why a message was decided as it was, and with what. Written once, with the decision; it cannot be added later. */
export interface DecisionRecord {
  readonly outcome: 'accepted' | 'rejected' | 'quarantined' | 'undecidable';
  readonly code: string | undefined;
  readonly contractId: ContractId | undefined;
  readonly rawDigest: string;
  readonly coordinates: KafkaCoordinates;
  readonly arrival: Arrival;
  readonly registryDigest: string;
  readonly keys: readonly KeyEvidence[];
  readonly codeVersion: string;
}

export interface RejectionRecord {
  readonly rawDigest: string;
  readonly code: RefusalCode;
  readonly where: string | undefined;
  readonly contractId: ContractId | undefined;
  readonly negotiationId: string | undefined;
  /** How often this batch brought it. */
  readonly occurrences: number;
}

export type QuarantineReason = 'equivocation' | 'order_mismatch' | 'order_unresolved' | 'order_retries_exhausted';

/** Something that only a person may decide. */
export interface QuarantineRecord {
  readonly id: string;
  readonly reason: QuarantineReason;
  readonly code: string;
  readonly contractId: ContractId | undefined;
  readonly conflictsWith: ContractId | undefined;
  readonly rawDigest: string | undefined;
  readonly side: Side | undefined;
  readonly holdId: string | undefined;
}

export interface EvidenceStore {
  /** Keeps those that are not kept yet. */
  keepRaw(messages: readonly RawMessage[]): Promise<void>;
  recordDecisions(decisions: readonly DecisionRecord[]): Promise<void>;
  /**
   * Records refusals, each once per (digest, code); a repeated one is counted.
   * @returns the keys, by `rejectionKey`, of those that are new
   */
  recordRejections(rejections: readonly RejectionRecord[]): Promise<ReadonlySet<string>>;
  /** Which of these contracts are in quarantine for equivocation. */
  quarantined(ids: readonly ContractId[]): Promise<ReadonlySet<ContractId>>;
  quarantine(entries: readonly QuarantineRecord[]): Promise<void>;
  /**
   * Parks a message that could not be decided, once per content as long as nobody has decided it; a repeated one is counted.
   * @returns the how-manieth case of this content it is, from 1; nothing where it was parked already
   */
  quarantineUndecidable(entry: { readonly id: string; readonly rawDigest: string }): Promise<number | undefined>;
  /**
   * Counts messages that an operator has closed, and that come again. What was parked of them stays locked until the
   * transaction ends: nobody closes what is being decided.
   * @returns which of these digests are closed: they are not decided any more
   */
  countClosed(digests: readonly string[]): Promise<ReadonlySet<string>>;
  countQuarantined(counts: ReadonlyMap<ContractId, number>): Promise<void>;
  /**
   * Arrivals of messages that were decided before, by `coordinatesKey`. The content has to be the same too: a topic that
   * was made anew counts its offsets from the beginning.
   */
  earlierArrivals(messages: readonly DecidedMessage[]): Promise<ReadonlyMap<string, Arrival>>;
}

export const rejectionKey = (rejection: Pick<RejectionRecord, 'rawDigest' | 'code'>): string =>
  `${rejection.rawDigest}:${rejection.code}`;

export const coordinatesKey = ({ topic, partition, offset }: KafkaCoordinates): string =>
  `${topic}/${partition}/${offset.toString()}`;
