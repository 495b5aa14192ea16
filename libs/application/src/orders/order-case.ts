import { TerminalError, type SettlementContract } from '@v402/domain';
import { contractOf } from '../contract-of.js';
import { orderKindOf, type OrderDraft } from '../ports/order-system.js';
import type { OrderPlacement } from '../ports/progress-store.js';
import type { SettlementRecord } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import type { Claim } from '../ports/work-store.js';

/** A claimed order with what it takes to place it. */
export interface OrderCase {
  readonly claim: Claim;
  readonly settlement: SettlementRecord;
  readonly contract: SettlementContract;
  readonly placement: OrderPlacement;
  readonly draft: OrderDraft;
}

/** Reads what belongs to the claims. Under the settlements' locks it stays so until the transaction ends. */
export async function readCases(
  tx: Transaction,
  claims: readonly Claim[],
  settlements: readonly SettlementRecord[],
): Promise<readonly OrderCase[]> {
  const byId = new Map(settlements.map((settlement) => [settlement.contractId, settlement]));
  const placements = await tx.orders.ofSettlements([...byId.keys()]);
  return claims.map((claim) => {
    const { contractId, side } = claim;
    const settlement = byId.get(contractId);
    const placement = placements.find((row) => row.contractId === contractId && row.side === side);
    if (settlement === undefined || placement === undefined) {
      throw new TerminalError('order_without_settlement', 'Order work refers to a settlement and a side that exist.', {
        contractId,
        side,
      });
    }
    const contract = contractOf(settlement);
    const draft = { kind: orderKindOf(side), reference: settlement.orderReference, contractId, contract };
    return { claim, settlement, contract, placement, draft };
  });
}

export const contractIdsOf = (claims: readonly Pick<Claim, 'contractId'>[]): readonly string[] => [
  ...new Set(claims.map(({ contractId }) => contractId)),
];
