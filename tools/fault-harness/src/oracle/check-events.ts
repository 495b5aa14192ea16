import type { Seen, SeenEvent } from './seen.js';
import type { Violation } from './violation.js';

/** An order may become unknown several times: each is a fact of its own. */
const REPEATABLE = 'org.v402.order.outcome_unknown.v1';

const REQUESTS: ReadonlySet<string> = new Set([
  'org.v402.payment.requested.v1',
  'org.v402.invoice.requested.v1',
  'org.v402.delivery.requested.v1',
]);

/** How long after a hold an order may still arrive whose intent was recorded before: a call lasts a second at most. */
const UNDER_WAY_MS = 3_000;

const HOLD_PLACED = 'org.v402.hold.placed.v1';

/** Whether what was published is a faithful account of what was recorded: each fact once, in order, without gaps. */
export function checkEvents(seen: Seen): readonly Violation[] {
  return [...identities(seen.events), ...order(seen.events), ...record(seen), ...holds(seen)];
}

function* identities(events: readonly SeenEvent[]): Generator<Violation> {
  const digests = new Map<string, string>();
  const ids = new Map<string, string>();
  for (const event of events) {
    const { id, digest, type } = event;
    if ((digests.get(id) ?? digest) !== digest) yield wrong('event_identity', `event ${id} has two contents`);
    digests.set(id, digest);
    const fact = factOf(event);
    if (type !== REPEATABLE && (ids.get(fact) ?? id) !== id) {
      yield wrong('event_identity', `two events say: ${fact}`);
    }
    ids.set(fact, id);
  }
}

function factOf({ type, subject, data }: SeenEvent): string {
  const { side, legId, deliveryId, holdId, conflictsWith, rawDigest, code } = data;
  return JSON.stringify([type, subject, side, legId ?? deliveryId ?? holdId ?? conflictsWith, rawDigest, code]);
}

function* order(events: readonly SeenEvent[]): Generator<Violation> {
  const last = new Map<string, number>();
  const lastTime = new Map<string, string>();
  const published = new Set<string>();
  for (const { id, topic, subject, sequence, time } of events) {
    if (sequence === undefined || published.has(id)) continue;
    published.add(id);
    const stream = `${topic} ${subject}`;
    if (time < (lastTime.get(stream) ?? '')) yield wrong('event_order', `${stream}: ${time} came after a later time`);
    lastTime.set(stream, time);
    const due = (last.get(stream) ?? 0) + 1;
    if (Number(sequence) !== due) yield wrong('event_order', `${stream}: ${sequence} came where ${due} was due`);
    last.set(stream, Number(sequence));
  }
}

function* record({ events, storedEvents }: Seen): Generator<Violation> {
  const published = new Map(events.map(({ id, digest }) => [id, digest]));
  for (const [id, digest] of storedEvents) {
    if (!published.has(id)) yield wrong('event_record', `event ${id} was recorded and never published`);
    else if (published.get(id) !== digest) yield wrong('event_record', `event ${id} was published otherwise`);
  }
  for (const id of published.keys()) {
    if (!storedEvents.has(id)) yield wrong('event_record', `event ${id} was published and never recorded`);
  }
}

/** A settlement's lock orders a hold and what it stops, and times never decrease under it. */
function* holds({ events, orders }: Seen): Generator<Violation> {
  const heldSince = new Map<string, string>();
  for (const { type, subject, time } of events) {
    const since = heldSince.get(subject);
    if (type === HOLD_PLACED && (since === undefined || time < since)) heldSince.set(subject, time);
  }
  for (const { type, subject, time } of events) {
    const since = heldSince.get(subject);
    if (REQUESTS.has(type) && since !== undefined && time > since) {
      yield wrong('hold', `${type} of ${subject} at ${time}, which is held since ${since}`);
    }
  }
  for (const { contractId, reference, askedAt } of orders) {
    const since = heldSince.get(contractId);
    if (askedAt !== undefined && since !== undefined && Date.parse(askedAt) > Date.parse(since) + UNDER_WAY_MS) {
      yield wrong('hold', `order ${reference} was asked for at ${askedAt}; ${contractId} is held since ${since}`);
    }
  }
}

const wrong = (check: Violation['check'], text: string): Violation => ({ check, text });
