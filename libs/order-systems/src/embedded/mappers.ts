import type { OrderDraft, OrderReference, OrderSnapshot, OrderStatus } from '@v402/application';

export interface FoundRow {
  readonly order_number: string;
  readonly status: OrderStatus;
}

/** A list without an element comes back as null, as SQL aggregates do. */
export interface OrderRow {
  readonly order_number: string;
  readonly contract_id: string;
  readonly buyer: string;
  readonly seller: string;
  readonly currency: string;
  readonly total: string;
  readonly lines: OrderSnapshot['lines'] | null;
  readonly charges: OrderSnapshot['charges'] | null;
  readonly deliveries: OrderSnapshot['deliveries'] | null;
}

/** The parameters of `INSERT_ORDER`, in its order; see MAPPINGS.md. */
export const insertValues = ({ kind, reference, contractId, contract }: OrderDraft): unknown[] => {
  const { parties, terms } = contract;
  const { lines, charges = [] } = terms;
  const deliveries = terms.delivery.schedule;
  const items = itemRows(contract.terms);
  return [
    kind,
    reference,
    Buffer.from(contractId, 'hex'),
    parties.buyer.id,
    parties.seller.id,
    terms.currency,
    terms.total,
    lines.map(({ id }) => id),
    lines.map(({ sku }) => sku),
    lines.map(({ description }) => description ?? null),
    lines.map(({ quantity }) => quantity),
    lines.map(({ unit }) => unit),
    lines.map(({ unitPrice }) => unitPrice),
    lines.map(({ priceBasis }) => priceBasis ?? '1'),
    lines.map(({ amount }) => amount),
    charges.map(({ id }) => id),
    charges.map(({ type }) => type),
    charges.map(({ amount }) => amount),
    charges.map(({ rate }) => rate ?? null),
    charges.map(({ category }) => category ?? null),
    deliveries.map(({ id }) => id),
    deliveries.map(({ notBefore }) => notBefore),
    deliveries.map(({ notAfter }) => notAfter),
    items.map(({ deliveryPosition }) => deliveryPosition),
    items.map(({ position }) => position),
    items.map(({ linePosition }) => linePosition),
    items.map(({ quantity }) => quantity),
  ];
};

interface ItemRow {
  readonly deliveryPosition: number;
  readonly position: number;
  /** null for a line that the contract does not have, which the table refuses. */
  readonly linePosition: number | null;
  readonly quantity: string;
}

const itemRows = ({ lines, delivery }: OrderDraft['contract']['terms']): ItemRow[] => {
  const linePositions = new Map(lines.map(({ id }, index) => [id, index + 1]));
  return delivery.schedule.flatMap(({ items }, deliveryIndex) =>
    items.map(({ line, quantity }, index) => ({
      deliveryPosition: deliveryIndex + 1,
      position: index + 1,
      linePosition: linePositions.get(line) ?? null,
      quantity,
    })),
  );
};

export const snapshotOf = ({ kind, reference }: OrderReference, row: OrderRow): OrderSnapshot => ({
  kind,
  reference,
  orderNumber: row.order_number,
  contractId: row.contract_id,
  buyer: row.buyer,
  seller: row.seller,
  currency: row.currency,
  total: row.total,
  lines: row.lines ?? [],
  charges: row.charges ?? [],
  deliveries: row.deliveries ?? [],
});
