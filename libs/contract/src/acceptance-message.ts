import { toUnixSeconds, type ContractId, type SettlementContract, type Side } from '@v402/domain';

/** What an EIP-712 signer's wallet shows and signs: `SettlementAcceptance` of section 6. */
export interface AcceptanceMessage {
  readonly contractId: `0x${string}`;
  readonly role: Side;
  readonly negotiationId: string;
  /** The parties' ids. */
  readonly buyer: string;
  readonly seller: string;
  readonly total: string;
  readonly currency: string;
  /** Whole Unix seconds, rounded down. */
  readonly expiresAt: bigint;
}

export function acceptanceMessage(contract: SettlementContract, contractId: ContractId, role: Side): AcceptanceMessage {
  return {
    contractId: `0x${contractId}`,
    role,
    negotiationId: contract.negotiationId,
    buyer: contract.parties.buyer.id,
    seller: contract.parties.seller.id,
    total: contract.terms.total,
    currency: contract.terms.currency,
    expiresAt: BigInt(toUnixSeconds(contract.expiresAt)),
  };
}
