import { orderKindOf, type OrderDraft, type OrderKind } from '@v402/application';
import { buildContract, identifyContract, type ContractDraft } from '@v402/contract';

export interface OrderDraftOptions extends ContractDraft {
  readonly kind?: OrderKind;
  /** The `shortRef` of the contract if absent. */
  readonly reference?: string;
}

/** What an order system is asked to create for a contract of its own: by default an ordinary sale, for the seller. */
export function buildOrderDraft({
  kind = orderKindOf('seller'),
  reference,
  ...draft
}: OrderDraftOptions = {}): OrderDraft {
  const contract = buildContract(draft);
  const { contractId, shortRef } = identifyContract(contract);
  return { kind, reference: reference ?? shortRef, contractId, contract };
}
