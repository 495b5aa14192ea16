import type { Seen, SeenEvent } from './seen.js';
import type { Violation } from './violation.js';

/** An order may become unknown several times: each is a fact of its own. */
const REPEATABLE = 'org.v402.order.outcome_unknown.v1';

/** Whether what was published is a faithful account of what was recorded: each fact once, in order, without gaps. */
export function checkEvents(seen: Seen): readonly Violation[] {
  return [...identities(seen.events), ...keys(seen.events), ...order(seen.events), ...record(seen)];
}

/** A receiver drops a request whose key it has seen before: two requests must not share one. */
function* keys(events: readonly SeenEvent[]): Generator<Violation> {
  const ids = new Map<string, string>();
  for (const { id, data } of events) {
    const { idempotencyKey } = data;
    if (idempotencyKey === undefined) continue;
    if ((ids.get(idempotencyKey) ?? id) !== id)
      yield wrong('event_identity', `two events have the key ${idempotencyKey}`);
    ids.set(idempotencyKey, id);
  }
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

const wrong = (check: Violation['check'], text: string): Violation => ({ check, text });
