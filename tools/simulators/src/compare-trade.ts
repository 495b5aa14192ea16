import { compareDecimals, type ContractId, type DecimalText, type Side } from '@v402/domain';
import type { ExpectedEvent } from './expected-events.js';
import type { SimulatedMessage } from './messages.js';
import { publishedFaults } from './published-faults.js';

/** A record of an output topic, as far as it is compared. */
export interface SeenEvent extends Omit<ExpectedEvent, 'type'> {
  readonly topic: string;
  readonly id: string;
  readonly type: string;
  /** Absent on the topic of rejections. */
  readonly sequence?: number;
}

/** An order as it stands in the order system. */
export interface SeenOrder {
  readonly contractId: ContractId;
  readonly side: Side;
  readonly total: DecimalText;
  readonly currency: string;
}

/** All that a trade has left behind, read where it ends up. */
export interface SeenTrade {
  /** Of one topic and settlement, in the order of publication. */
  readonly events: readonly SeenEvent[];
  readonly orders: readonly SeenOrder[];
  /** How often each accepted contract came again. */
  readonly duplicates: ReadonlyMap<ContractId, number>;
  /** How often each refused content came, by `<digest>:<code>`. */
  readonly rejections: ReadonlyMap<string, number>;
  /** How often each contract in quarantine came. */
  readonly quarantined: ReadonlyMap<ContractId, number>;
}

/** Reads the Kafka value of an event. */
export function readSeenEvent(topic: string, value: Uint8Array): SeenEvent {
  const event = JSON.parse(Buffer.from(value).toString('utf8')) as CloudEvent;
  const { id, type, subject, sequence, data } = event;
  const about = aboutOf(data);
  return {
    topic,
    id,
    type,
    subject,
    ...(sequence !== undefined && { sequence: Number(sequence) }),
    ...(data.side !== undefined && { side: data.side }),
    ...(about !== undefined && { about }),
  };
}

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly sequence?: string;
  readonly data: EventData;
}

interface EventData {
  readonly side?: Side;
  readonly legId?: string;
  readonly deliveryId?: string;
  readonly reason?: string;
  readonly conflictsWith?: string;
  readonly rawDigest?: string;
  readonly code?: string;
}

function aboutOf({ legId, deliveryId, reason, conflictsWith, rawDigest, code }: EventData): string | undefined {
  const rejection = rawDigest === undefined || code === undefined ? undefined : `${rawDigest}:${code}`;
  return legId ?? deliveryId ?? reason ?? conflictsWith ?? rejection;
}

/**
 * Compares what was sent with what has come of it.
 * @returns every difference in a sentence; none if all is exactly as it must be
 */
export function compareTrade(messages: readonly SimulatedMessage[], seen: SeenTrade): readonly string[] {
  const events = messages.flatMap((message) => message.events);
  const orders = messages.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? outcome.orders : []));
  return [
    ...publishedFaults(seen.events.map((event) => ({ ...event, fact: eventName(event) }))),
    ...countDifferences('events', countBy(events, eventName), countBy(seen.events, eventName)),
    ...countDifferences('orders', countBy(orders, orderName), countBy(seen.orders, orderName)),
    ...wrongTotals(orders, seen.orders),
    ...countDifferences('duplicates', expectedCounts(messages, 'duplicate'), seen.duplicates),
    ...countDifferences('rejections', expectedCounts(messages, 'rejected'), seen.rejections),
    ...countDifferences('quarantine entries', expectedCounts(messages, 'quarantined'), seen.quarantined),
  ];
}

function expectedCounts(
  messages: readonly SimulatedMessage[],
  kind: 'duplicate' | 'rejected' | 'quarantined',
): ReadonlyMap<string, number> {
  const outcomes = messages.map(({ outcome }) => outcome).filter((outcome) => outcome.kind === kind);
  return countBy(outcomes, (outcome) =>
    outcome.kind === 'rejected' ? `${outcome.rawDigest}:${outcome.code}` : outcome.contractId,
  );
}

function eventName({ type, subject, side, about }: Pick<SeenEvent, 'type' | 'subject' | 'side' | 'about'>): string {
  return [type, subject, side, about].filter((part) => part !== undefined).join(' ');
}

function orderName({ contractId, side, currency }: SeenOrder): string {
  return `${contractId} ${side} ${currency}`;
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}

function countDifferences(
  what: string,
  expected: ReadonlyMap<string, number>,
  seen: ReadonlyMap<string, number>,
): readonly string[] {
  const names = new Set([...expected.keys(), ...seen.keys()]);
  return [...names].flatMap((name) => {
    const [due, found] = [expected.get(name) ?? 0, seen.get(name) ?? 0];
    return due === found ? [] : [`${what}: ${found} instead of ${due} × ${name}`];
  });
}

function wrongTotals(expected: readonly SeenOrder[], seen: readonly SeenOrder[]): readonly string[] {
  const totals = new Map(expected.map((order) => [orderName(order), order.total]));
  return seen.flatMap((order) => {
    const total = totals.get(orderName(order));
    const isRight = total === undefined || compareDecimals(total, order.total) === 0;
    return isRight ? [] : [`orders: a total of ${order.total} instead of ${total} in ${orderName(order)}`];
  });
}
