import type { Seen, SeenEvent } from './seen.js';
import type { Violation } from './violation.js';

const PLACED = 'org.v402.hold.placed.v1';
const RELEASED = 'org.v402.hold.released.v1';

/** Whether each hold stopped its deal for as long as it stood, was announced, and went with the case that it belongs to. */
export function checkHolds(seen: Seen): readonly Violation[] {
  return [...requests(seen), ...announcements(seen), ...cases(seen)];
}

interface Period {
  readonly since: string;
  until: string | undefined;
}

/** How long after a hold an order may still arrive whose intent was recorded before: a call lasts a second at most. */
const UNDER_WAY_MS = 3_000;

/**
 * Nothing of a deal is asked for between a hold and its release. Both hold the locks of all settlements of the deal and
 * read the clock under them, so times tell what came first, whichever of the deal's contracts an event is about.
 */
function* requests({ events, settlements, orders }: Seen): Generator<Violation> {
  const deals = new Map(settlements.map(({ contractId, negotiationId }) => [contractId, negotiationId]));
  const dealOf = (contractId: string): string => deals.get(contractId) ?? contractId;
  const periods = periodsOf(events, dealOf);
  for (const { type, subject, time } of events) {
    if (!REQUESTS.has(type)) continue;
    for (const { since, until } of periods.get(dealOf(subject))?.values() ?? []) {
      if (time <= since || (until !== undefined && time >= until)) continue;
      yield wrong(`${type} of ${subject} at ${time}, which is held from ${since} to ${until ?? 'now'}`);
    }
  }
  for (const { contractId, reference, askedAt } of orders) {
    if (askedAt === undefined) continue;
    for (const { since, until } of periods.get(dealOf(contractId))?.values() ?? []) {
      const atMs = Date.parse(askedAt);
      if (atMs <= Date.parse(since) + UNDER_WAY_MS || (until !== undefined && atMs >= Date.parse(until))) continue;
      yield wrong(`order ${reference} of ${contractId} at ${askedAt}, held from ${since} to ${until ?? 'now'}`);
    }
  }
}

/** From when to when a deal was held, by deal and hold. */
function periodsOf(
  events: readonly SeenEvent[],
  dealOf: (contractId: string) => string,
): ReadonlyMap<string, ReadonlyMap<string, Period>> {
  const periods = new Map<string, Map<string, Period>>();
  for (const { type, subject, data, time } of events) {
    if (type !== PLACED) continue;
    const ofDeal = periods.get(dealOf(subject)) ?? new Map<string, Period>();
    ofDeal.set(String(data.holdId), { since: time, until: undefined });
    periods.set(dealOf(subject), ofDeal);
  }
  for (const { type, subject, data, time } of events) {
    const period = type === RELEASED ? periods.get(dealOf(subject))?.get(String(data.holdId)) : undefined;
    if (period !== undefined) period.until = time;
  }
  return periods;
}

const REQUESTS: ReadonlySet<string> = new Set([
  'org.v402.payment.requested.v1',
  'org.v402.invoice.requested.v1',
  'org.v402.delivery.requested.v1',
]);

/** A hold is announced once, and so is its release. */
function* announcements({ events, holds }: Seen): Generator<Violation> {
  const distinct = [...new Map(events.map((event) => [event.id, event])).values()];
  const counts = (type: string): ReadonlyMap<string, number> => {
    const ids = distinct.filter((event) => event.type === type).map(({ data }) => String(data.holdId));
    return new Map([...Map.groupBy(ids, (id) => id)].map(([id, same]) => [id, same.length]));
  };
  const [placed, released] = [counts(PLACED), counts(RELEASED)];
  for (const { id, reason, isOpen } of holds) {
    const [once, ended] = [placed.get(id) ?? 0, released.get(id) ?? 0];
    if (once !== 1) yield wrong(`${reason} ${id} was announced ${once} times`);
    if (ended !== (isOpen ? 0 : 1)) {
      yield wrong(`${reason} ${id} is ${isOpen ? 'open' : 'released'}, and its release was announced ${ended} times`);
    }
  }
  const known = new Set(holds.map(({ id }) => id));
  for (const id of placed.keys()) if (!known.has(id)) yield wrong(`${id} was announced, and is no hold`);
}

/** What two contracts are held for ends with the decision on them, and not before. */
function* cases({ holds, quarantine }: Seen): Generator<Violation> {
  const entries = new Map(quarantine.map((entry) => [entry.holdId, entry]));
  for (const { id, reason, isOpen, resolution } of holds) {
    if (reason !== 'equivocation' && reason !== 'amendment_after_start') continue;
    const decided = entries.get(id)?.resolution ?? (entries.has(id) ? null : resolution);
    if ((decided === null) !== isOpen || decided !== resolution) {
      yield wrong(
        `${reason} ${id} is ${isOpen ? 'open' : `released by ${resolution ?? '?'}`}, its case ${decided ?? 'open'}`,
      );
    }
  }
}

const wrong = (text: string): Violation => ({ check: 'hold', text });
