import type { ContractId, SettlementContract } from '@v402/domain';
import type { FaultCode } from '@v402/simulators';

/** A contract that both parties signed and that breaks no rule, with its bytes as they are sent. */
export interface GoodContract {
  readonly contractId: ContractId;
  readonly contract: SettlementContract;
  readonly value: Uint8Array;
}

/** What two agents do in one negotiation. What may become of it follows from the kind. */
export type Story =
  /** One contract: it is settled, whole. */
  | { readonly kind: 'agreed'; readonly contract: GoodContract }
  /** A message that has to be refused, with the code. */
  | {
      readonly kind: 'refused';
      readonly code: FaultCode;
      readonly value: Uint8Array | null;
      readonly rawDigest: string;
    }
  /**
   * A contract, and a copy of it that somebody has spoiled, at the same moment: the contract is settled, and the copy is
   * refused with the code, or is no news once the contract is known.
   */
  | {
      readonly kind: 'tampered';
      readonly contract: GoodContract;
      readonly copy: Uint8Array;
      readonly code: FaultCode;
    }
  /** Two contracts for one negotiation: one of them is settled, the other is quarantined, and the deal is held. */
  | { readonly kind: 'rivals'; readonly rivals: readonly [GoodContract, GoodContract] }
  /** A contract and amendments of it, each of the one before: the last one counts, or it is held. */
  | { readonly kind: 'amended'; readonly chain: readonly [GoodContract, ...GoodContract[]] }
  /** Two amendments of one contract: one of them counts, the other is quarantined, and the deal is held. */
  | { readonly kind: 'forked'; readonly base: GoodContract; readonly amendments: readonly [GoodContract, GoodContract] }
  /** One contract that the database will not store: it is parked, whole. */
  | { readonly kind: 'poison'; readonly contract: GoodContract };

/** A record of the contracts topic. */
export interface Send {
  readonly key: string;
  readonly value: Uint8Array | null;
}
