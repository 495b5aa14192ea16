import {
  compareDecimals,
  deliveryTable,
  sumDecimals,
  transition,
  type SettlementContract,
  type Side,
} from '@v402/domain';
import type { DeliveryRow } from '../ports/progress-store.js';
import { askedFor, type AdoptionBlock, type ChainMember } from './chain-member.js';

/** What a delivery brings, by article: lines may have other ids in another contract. */
type Quantities = ReadonlyMap<string, string>;

function quantitiesOf({ terms }: SettlementContract, deliveryId: string): Quantities {
  const items = terms.delivery.schedule.find(({ id }) => id === deliveryId)?.items ?? [];
  return total(
    items.map(({ line, quantity }) => [articleOf(terms.lines.find(({ id }) => id === line)), quantity] as const),
  );
}

function total(quantities: Iterable<readonly [article: string, quantity: string]>): Quantities {
  const sums = new Map<string, string>();
  for (const [article, quantity] of quantities) sums.set(article, sumDecimals([sums.get(article) ?? '0', quantity]));
  return sums;
}

const articleOf = (line: { readonly sku: string; readonly unit: string } | undefined): string =>
  JSON.stringify([line?.sku, line?.unit]);

interface AskedDelivery {
  readonly row: DeliveryRow;
  readonly contract: SettlementContract;
}

/** Deliveries of an amendment that were asked for under an earlier contract, or that must not be asked for. */
export function adoptDeliveries(
  { contract, deliveries }: ChainMember,
  earlier: readonly ChainMember[],
  side: Side,
): DeliveryRow[] {
  const asked = new Map<string, AskedDelivery>();
  for (const member of earlier) {
    for (const [id, row] of askedFor(member.deliveries, side, ({ deliveryId }) => deliveryId)) {
      asked.set(id, { row, contract: member.contract });
    }
  }
  const agreed = total(contract.terms.lines.map((line) => [articleOf(line), line.quantity] as const));
  let sums = total([...asked].flatMap(([id, before]) => [...quantitiesOf(before.contract, id)]));
  const adopted: DeliveryRow[] = [];
  for (const row of deliveries.filter((each) => each.side === side)) {
    const before = asked.get(row.deliveryId);
    if (before !== undefined) {
      adopted.push(
        isSameDelivery(before, row, contract)
          ? askedDelivery(row, before.row)
          : blockDelivery(row, 'differs_from_request'),
      );
      continue;
    }
    const raised = total([...sums, ...quantitiesOf(contract, row.deliveryId)]);
    const isTooMuch = [...quantitiesOf(contract, row.deliveryId).keys()].some(
      (article) => compareDecimals(raised.get(article) ?? '0', agreed.get(article) ?? '0') > 0,
    );
    if (isTooMuch) adopted.push(blockDelivery(row, 'exceeds_quantity'));
    else sums = raised;
  }
  return adopted;
}

function isSameDelivery(before: AskedDelivery, row: DeliveryRow, contract: SettlementContract): boolean {
  const [one, other] = [before.contract.terms.delivery, contract.terms.delivery];
  const was = quantitiesOf(before.contract, row.deliveryId);
  const is = quantitiesOf(contract, row.deliveryId);
  return (
    before.row.notBefore === row.notBefore &&
    before.row.notAfter === row.notAfter &&
    one.incoterm === other.incoterm &&
    one.place === other.place &&
    JSON.stringify(one.shipTo) === JSON.stringify(other.shipTo) &&
    was.size === is.size &&
    [...is].every(([article, quantity]) => compareDecimals(was.get(article) ?? '0', quantity) === 0)
  );
}

const askedDelivery = (row: DeliveryRow, { attempt }: DeliveryRow): DeliveryRow => ({
  ...row,
  attempt,
  state: transition(deliveryTable, row.state, 'adopt'),
});

const blockDelivery = (row: DeliveryRow, code: AdoptionBlock): DeliveryRow => ({
  ...row,
  state: transition(deliveryTable, row.state, 'block'),
  code,
});
