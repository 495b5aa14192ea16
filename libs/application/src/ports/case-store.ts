import type { Arrival, ContractId, Micros, Side } from '@v402/domain';
import type { KafkaCoordinates, QuarantineReason, RawMessage } from './evidence-store.js';
import type { DealKey, HoldCause } from './settlement-store.js';

export const CASE_REASONS = [
  'equivocation',
  'undecidable_message',
  'amendment_after_start',
  'order_rejected',
  'order_mismatch',
  'order_unresolved',
  'order_retries_exhausted',
  'stream_parked',
] as const satisfies readonly (QuarantineReason | HoldCause['reason'] | 'undecidable_message' | 'stream_parked')[];
export type CaseReason = (typeof CASE_REASONS)[number];

export type CaseResolution = 'release' | 'reject' | 'redrive';

/**
 * Something that waits for a person: an entry in quarantine with its hold, a hold that has no entry, or a parked stream.
 * Its id is that of the entry, of the hold, or of the event that cannot be sent.
 */
export interface OperatorCase {
  readonly id: string;
  readonly source: 'quarantine' | 'hold' | 'parked_stream';
  readonly reason: CaseReason;
  readonly code: string;
  /** Of an equivocation the second contract, of an amendment the amendment. */
  readonly contractId: ContractId | undefined;
  /** Of an equivocation the first contract, of an amendment its base. */
  readonly otherContractId: ContractId | undefined;
  readonly rawDigest: string | undefined;
  readonly side: Side | undefined;
  readonly dealKey: DealKey | undefined;
  readonly hold: { readonly id: string; readonly contractId: ContractId; readonly isOpen: boolean } | undefined;
  readonly occurrences: number;
  readonly since: Micros;
  /**
   * Undefined as long as nobody has decided; and again where an order was given up, and an amendment has taken its
   * contract's place: its hold stops what nobody has decided on.
   */
  readonly resolution: CaseResolution | undefined;
  readonly resolvedBy: string | undefined;
  readonly resolvedAt: Micros | undefined;
  /** Of the contract that the case is about, where it was accepted. */
  readonly total: CaseAmount | undefined;
}

export interface CaseAmount {
  readonly amount: string;
  readonly currency: string;
}

/** How a message was decided, as it was kept. */
export interface KeptDecision {
  readonly outcome: string;
  readonly code: string | undefined;
  readonly contractId: ContractId | undefined;
  readonly rawDigest: string;
  readonly coordinates: KafkaCoordinates;
  readonly arrival: Arrival;
  readonly registryDigest: string;
  readonly keys: unknown;
  readonly codeVersion: string;
  readonly decidedAt: Micros;
}

/** An action that waits for a second person, or did. */
export interface Approval {
  readonly id: string;
  readonly caseId: string;
  readonly action: CaseResolution;
  readonly orderChanged: boolean;
  readonly total: CaseAmount | undefined;
  readonly requestedBy: string;
  /** The database's login, as the database says. */
  readonly requestedLogin: string;
  readonly reason: string;
  readonly requestedAt: Micros;
  readonly outcome: 'approved' | 'withdrawn' | undefined;
  readonly decidedBy: string | undefined;
  readonly decidedLogin: string | undefined;
}

export type NewApproval = Omit<Approval, 'requestedLogin' | 'requestedAt' | 'outcome' | 'decidedBy' | 'decidedLogin'>;

export interface CaseFilter {
  readonly reason?: CaseReason;
  /** Resolved ones too. */
  readonly all?: boolean;
  readonly contractId?: ContractId;
}

export interface CaseStore {
  /** The oldest first. */
  list(filter: CaseFilter): Promise<readonly OperatorCase[]>;
  find(id: string): Promise<OperatorCase | undefined>;
  /** Locks the case until the transaction ends, and reads it again. Taken after the locks of its deal and settlements. */
  lock(one: OperatorCase): Promise<OperatorCase | undefined>;
  resolve(one: OperatorCase, resolution: CaseResolution, actor: string): Promise<void>;
  releaseHold(holdId: string, resolution: CaseResolution, actor: string): Promise<void>;
  /** @returns whether the stream was parked */
  unpark(eventId: string): Promise<boolean>;
  /** The contract whose shortRef this is, if it was accepted. */
  contractOfShortRef(shortRef: string): Promise<ContractId | undefined>;
  raw(digest: string): Promise<RawMessage | undefined>;
  /** The canonical form of an accepted contract. */
  canonical(contractId: ContractId): Promise<Uint8Array | undefined>;
  decisions(about: { readonly contractId?: ContractId; readonly rawDigest?: string }): Promise<readonly KeptDecision[]>;
  approvals(caseId: string): Promise<readonly Approval[]>;
  /** Of all cases. */
  pendingApprovals(): Promise<readonly Approval[]>;
  /**
   * All that changes a request holds its case's lock, and nobody has to lock the request itself.
   * @param id of the request or of its case
   */
  pendingApproval(id: string): Promise<Approval | undefined>;
  requestApproval(approval: NewApproval): Promise<void>;
  decideApproval(id: string, outcome: 'approved' | 'withdrawn', actor: string): Promise<void>;
}
