import type { Prisma } from '../generated/client.js';

/** What belongs to one settlement, but for the bytes. */
export const SETTLEMENT_INCLUDE = {
  deal: { include: { holds: { orderBy: { placedAt: 'asc' } } } },
  orders: { orderBy: { side: 'asc' } },
  legs: { orderBy: [{ side: 'asc' }, { number: 'asc' }] },
  deliveries: { orderBy: [{ side: 'asc' }, { number: 'asc' }] },
} satisfies Prisma.SettlementInclude;

export type SettlementRow = Prisma.SettlementGetPayload<{
  include: typeof SETTLEMENT_INCLUDE;
  omit: { canonical: true };
}>;
export type DecisionRow = Prisma.DecisionGetPayload<object>;
export type EventRow = Prisma.EventGetPayload<{ omit: { bytes: true } }>;

/**
 * A settlement for people to look at. Times are to the millisecond, amounts without trailing zeros; exact texts are in
 * the contract and in the events.
 */
export interface SettlementView {
  readonly contractId: string;
  readonly shortRef: string;
  readonly orderReference: string;
  readonly state: string;
  readonly current: boolean;
  readonly supersedes: string | undefined;
  readonly currency: string;
  readonly total: string;
  readonly agreedAt: string;
  readonly expiresAt: string;
  readonly acceptedAt: string;
  /** How often the contract came again. */
  readonly duplicates: number;
  readonly deal: {
    readonly key: string;
    readonly negotiationId: string;
    readonly buyer: string;
    readonly seller: string;
  };
  readonly orders: readonly OrderView[];
  readonly legs: readonly LegView[];
  readonly deliveries: readonly DeliveryView[];
  /** Of the deal, released ones too. */
  readonly holds: readonly HoldView[];
  readonly decisions: readonly DecisionView[];
  readonly events: readonly EventView[];
}

export interface OrderView {
  readonly side: string;
  readonly state: string;
  readonly attempt: number;
  readonly orderSystem: string | undefined;
  readonly orderNumber: string | undefined;
  readonly orderUrl: string | undefined;
  readonly code: string | undefined;
  readonly orderedAt: string | undefined;
}

export interface LegView {
  readonly side: string;
  readonly legId: string;
  readonly state: string;
  readonly trigger: string;
  readonly rail: string;
  readonly amount: string;
  readonly currency: string;
  readonly dueDate: string | undefined;
  readonly code: string | undefined;
}

export interface DeliveryView {
  readonly side: string;
  readonly deliveryId: string;
  readonly state: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface HoldView {
  readonly id: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly releasedBy: string | undefined;
  readonly releasedAt: string | undefined;
}

export interface DecisionView {
  readonly outcome: string;
  readonly code: string | undefined;
  /** SHA-256 of the message as it came. */
  readonly rawDigest: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly arrival: string;
  readonly arrivalSource: string;
  readonly registryDigest: string;
  readonly codeVersion: string;
}

export interface EventView {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly sequence: number | undefined;
  readonly occurredAt: string;
  /** Whether Kafka has acknowledged it. */
  readonly published: boolean;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const day = (date: Date): string => date.toISOString().slice(0, 10);

/** @param unpublished ids of the events that still stand in the outbox */
export function settlementView(
  row: SettlementRow,
  decisions: readonly DecisionRow[],
  events: readonly EventRow[],
  unpublished: ReadonlySet<string>,
): SettlementView {
  const { deal } = row;
  return {
    contractId: hex(row.contractId),
    shortRef: row.shortRef,
    orderReference: row.orderReference,
    state: row.state,
    current: row.current,
    supersedes: row.supersedes === null ? undefined : hex(row.supersedes),
    currency: row.currency,
    total: row.total.toFixed(),
    agreedAt: row.agreedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    acceptedAt: row.acceptedAt.toISOString(),
    duplicates: row.duplicates,
    deal: { key: hex(deal.key), negotiationId: deal.negotiationId, buyer: deal.buyer, seller: deal.seller },
    orders: row.orders.map(orderView),
    legs: row.legs.map(legView),
    deliveries: row.deliveries.map(({ side, deliveryId, state, notBefore, notAfter }) => ({
      side,
      deliveryId,
      state,
      notBefore: day(notBefore),
      notAfter: day(notAfter),
    })),
    holds: deal.holds.map(holdView),
    decisions: decisions.map(decisionView),
    events: events.map((event) => eventView(event, !unpublished.has(event.id))),
  };
}

function orderView(row: SettlementRow['orders'][number]): OrderView {
  const { side, state, attempt } = row;
  return {
    side,
    state,
    attempt,
    orderSystem: row.orderSystem ?? undefined,
    orderNumber: row.orderNumber ?? undefined,
    orderUrl: row.orderUrl ?? undefined,
    code: row.code ?? undefined,
    orderedAt: row.orderedAt?.toISOString(),
  };
}

function legView(row: SettlementRow['legs'][number]): LegView {
  const { side, legId, state, trigger, rail, currency } = row;
  return {
    side,
    legId,
    state,
    trigger,
    rail,
    amount: row.amount.toFixed(),
    currency,
    dueDate: row.dueDate === null ? undefined : day(row.dueDate),
    code: row.code ?? undefined,
  };
}

function holdView(row: SettlementRow['deal']['holds'][number]): HoldView {
  const { id, reason, placedBy, placedAt } = row;
  return {
    id,
    reason,
    placedBy,
    placedAt: placedAt.toISOString(),
    releasedBy: row.releasedBy ?? undefined,
    releasedAt: row.releasedAt?.toISOString(),
  };
}

function decisionView(row: DecisionRow): DecisionView {
  const { outcome, topic, partition, offset, arrivalSource, codeVersion } = row;
  return {
    outcome,
    code: row.code ?? undefined,
    rawDigest: hex(row.rawDigest),
    topic,
    partition,
    offset,
    arrival: row.arrival.toISOString(),
    arrivalSource,
    registryDigest: hex(row.registryDigest),
    codeVersion,
  };
}

function eventView(row: EventRow, published: boolean): EventView {
  const { id, type, topic } = row;
  return { id, type, topic, sequence: row.sequence ?? undefined, occurredAt: row.occurredAt.toISOString(), published };
}
