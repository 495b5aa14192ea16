import type * as rows from '../generated/client.js';

/** What belongs to one settlement, as it stands in the database, but for the bytes. */
export interface SettlementRows {
  readonly settlement: Omit<rows.Settlement, 'canonical'>;
  readonly deal: rows.Deal;
  readonly orders: readonly rows.OrderPlacement[];
  readonly legs: readonly rows.PaymentLeg[];
  readonly deliveries: readonly rows.Delivery[];
  readonly holds: readonly rows.Hold[];
  readonly decisions: readonly rows.Decision[];
  readonly events: readonly Omit<rows.Event, 'bytes'>[];
  /** The events that still stand in the outbox. */
  readonly unpublished: readonly rows.Outbox[];
  readonly actions: readonly rows.AuditEntry[];
}

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
  /** What operators did about it, from the audit trail. */
  readonly actions: readonly ActionView[];
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
  readonly code: string | undefined;
}

export interface HoldView {
  readonly id: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly releasedBy: string | undefined;
  readonly releasedAt: string | undefined;
  /** `release`, `reject` or `redrive`: what an operator decided. */
  readonly resolution: string | undefined;
}

export interface ActionView {
  readonly sequence: bigint;
  readonly at: string;
  readonly actor: string;
  readonly login: string;
  readonly action: string;
  /** Of the case that it resolved. */
  readonly caseId: string;
  readonly reason: string;
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
/** Prisma cannot read the year that PostgreSQL calls 1 BC, which is the year 0000 of a contract. */
const day = (date: Date): string =>
  Number.isNaN(date.getTime()) ? 'in the year 0000' : date.toISOString().slice(0, 10);

export function settlementView({ settlement, deal, unpublished, ...lists }: SettlementRows): SettlementView {
  const waiting = new Set(unpublished.map(({ eventId }) => eventId));
  const { shortRef, orderReference, state, current, currency, duplicates } = settlement;
  return {
    contractId: hex(settlement.contractId),
    shortRef,
    orderReference,
    state,
    current,
    supersedes: settlement.supersedes === null ? undefined : hex(settlement.supersedes),
    currency,
    total: settlement.total.toFixed(),
    agreedAt: settlement.agreedAt.toISOString(),
    expiresAt: settlement.expiresAt.toISOString(),
    acceptedAt: settlement.acceptedAt.toISOString(),
    duplicates,
    deal: { key: hex(deal.key), negotiationId: deal.negotiationId, buyer: deal.buyer, seller: deal.seller },
    orders: lists.orders.map(orderView),
    legs: lists.legs.map(legView),
    deliveries: lists.deliveries.map(deliveryView),
    holds: lists.holds.map(holdView),
    decisions: lists.decisions.map(decisionView),
    events: lists.events.map((event) => eventView(event, !waiting.has(event.id))),
    actions: lists.actions.map(actionView),
  };
}

function deliveryView({ side, deliveryId, state, notBefore, notAfter, code }: rows.Delivery): DeliveryView {
  return { side, deliveryId, state, notBefore: day(notBefore), notAfter: day(notAfter), code: code ?? undefined };
}

function orderView(row: rows.OrderPlacement): OrderView {
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

function legView(row: rows.PaymentLeg): LegView {
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

function holdView(row: rows.Hold): HoldView {
  const { id, reason, placedBy, placedAt } = row;
  return {
    id,
    reason,
    placedBy,
    placedAt: placedAt.toISOString(),
    releasedBy: row.releasedBy ?? undefined,
    releasedAt: row.releasedAt?.toISOString(),
    resolution: row.resolution ?? undefined,
  };
}

function actionView({ sequence, at, actor, login, action, subject, reason }: rows.AuditEntry): ActionView {
  return { sequence, at: at.toISOString(), actor, login, action, caseId: subject, reason };
}

function decisionView(row: rows.Decision): DecisionView {
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

function eventView(row: Omit<rows.Event, 'bytes'>, published: boolean): EventView {
  const { id, type, topic } = row;
  return { id, type, topic, sequence: row.sequence ?? undefined, occurredAt: row.occurredAt.toISOString(), published };
}
