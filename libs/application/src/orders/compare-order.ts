import { compareDecimals, type SettlementContract } from '@v402/domain';
import type { OrderDraft, OrderSnapshot } from '../ports/order-system.js';

/**
 * What in an order differs from what was agreed, as JSON Pointers into the contract; empty where the order is ours.
 * Amounts and quantities compare by value: an order system may write them with other digits.
 */
export function orderDifferences({ contractId, contract }: OrderDraft, order: OrderSnapshot): readonly string[] {
  const { parties, terms } = contract;
  const header: readonly (readonly [string, boolean])[] = [
    ['/contractId', order.contractId === contractId],
    ['/parties/buyer/id', order.buyer === parties.buyer.id],
    ['/parties/seller/id', order.seller === parties.seller.id],
    ['/terms/currency', order.currency === terms.currency],
    ['/terms/total', equal(order.total, terms.total)],
    ['/terms/lines', sameLines(terms, order)],
    ['/terms/charges', sameCharges(terms, order)],
    ['/terms/delivery/schedule', sameDeliveries(terms, order)],
  ];
  return header.filter(([, same]) => !same).map(([where]) => where);
}

type Terms = SettlementContract['terms'];

const equal = (left: string, right: string): boolean => compareDecimals(left, right) === 0;

/** Both lists hold the same ids, and what belongs to an id is the same. */
function sameById<A extends { readonly id: string }, B extends { readonly id: string }>(
  agreed: readonly A[],
  ordered: readonly B[],
  same: (agreed: A, ordered: B) => boolean,
): boolean {
  const byId = new Map(ordered.map((each) => [each.id, each]));
  return (
    agreed.length === ordered.length &&
    agreed.every((each) => {
      const other = byId.get(each.id);
      return other !== undefined && same(each, other);
    })
  );
}

function sameLines({ lines }: Terms, order: OrderSnapshot): boolean {
  return sameById(
    lines,
    order.lines,
    (agreed, ordered) =>
      agreed.sku === ordered.sku &&
      agreed.unit === ordered.unit &&
      equal(agreed.quantity, ordered.quantity) &&
      equal(agreed.unitPrice, ordered.unitPrice) &&
      equal(agreed.amount, ordered.amount),
  );
}

function sameCharges({ charges = [] }: Terms, order: OrderSnapshot): boolean {
  return sameById(
    charges,
    order.charges,
    (agreed, ordered) => agreed.type === ordered.type && equal(agreed.amount, ordered.amount),
  );
}

function sameDeliveries({ delivery }: Terms, order: OrderSnapshot): boolean {
  return sameById(
    delivery.schedule,
    order.deliveries,
    (agreed, ordered) =>
      agreed.notBefore === ordered.notBefore &&
      agreed.notAfter === ordered.notAfter &&
      sameById(withLineAsId(agreed.items), withLineAsId(ordered.items), (a, b) => equal(a.quantity, b.quantity)),
  );
}

const withLineAsId = (
  items: readonly { readonly line: string; readonly quantity: string }[],
): readonly { readonly id: string; readonly quantity: string }[] =>
  items.map(({ line, quantity }) => ({ id: line, quantity }));
