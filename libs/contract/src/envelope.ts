import type { ContractId, SettlementContract, Side } from '@v402/domain';

export const SUITES = ['eip712', 'jws'] as const;
export type SuiteName = (typeof SUITES)[number];

export interface ContractSignature {
  readonly role: Side;
  readonly suite: SuiteName;
  readonly kid: string;
  readonly signature: string;
}

export const TRANSCRIPT_MESSAGE_TYPES = ['intent', 'capability', 'proposal', 'accept'] as const;

/** One message of the negotiation (section 8). */
export interface TranscriptMessage {
  readonly seq: number;
  readonly from: Side;
  readonly type: (typeof TRANSCRIPT_MESSAGE_TYPES)[number];
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly prevHash: string;
}

/** What travels on Kafka (section 1). */
export interface SettlementEnvelope {
  readonly contract: SettlementContract;
  readonly signatures: readonly ContractSignature[];
  readonly transcript?: readonly TranscriptMessage[];
}

/** An envelope that passed `schema_invalid`, with what identifies its contract (section 2). */
export interface IdentifiedEnvelope {
  readonly envelope: SettlementEnvelope;
  readonly contractId: ContractId;
  readonly shortRef: string;
  /** The RFC 8785 bytes of `contract`: what is hashed and signed. */
  readonly canonical: Uint8Array;
}
