import type { ContractId, Instant, SettlementContract, Side } from '@v402/domain';

export const SUITES = ['eip712', 'jws'] as const;
export type SuiteName = (typeof SUITES)[number];

/** One party's signature (section 6). */
export interface ContractSignature {
  readonly role: Side;
  readonly suite: SuiteName;
  /** Names the key, as an exact string, among the keys of the party and the suite. */
  readonly kid: string;
  /** `0x` hex of 65 bytes in suite `eip712`, a detached compact JWS in suite `jws`; not looked at before its suite does. */
  readonly signature: string;
}

export const TRANSCRIPT_MESSAGE_TYPES = ['intent', 'capability', 'proposal', 'accept'] as const;

/** One message of the negotiation (section 8). */
export interface TranscriptMessage {
  readonly seq: number;
  readonly from: Side;
  readonly type: (typeof TRANSCRIPT_MESSAGE_TYPES)[number];
  readonly at: Instant;
  /** Any JSON; numbers only as members named like the contract's integers. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The hash of the message before: 64 lowercase hex digits, zeros for the first. */
  readonly prevHash: string;
}

/** What travels on Kafka (section 1). Its bytes and its signatures are no identity: the contract's canonical form is. */
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
