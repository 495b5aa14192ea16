import { createHash } from 'node:crypto';
import { eventsOfContract, HANDLING, servedSides } from '@v402/simulators';
import type { GoodContract } from '../stories/story.js';
import type { AuditRow, HoldRow, QuarantineRow, Seen, SeenEvent, SettlementRow } from './seen.js';

export const NOW = '2026-11-22T12:00:00.000Z';

export const sha256 = (value: Uint8Array | string): string => createHash('sha256').update(value).digest('hex');
const ORDER_KINDS = { buyer: 'purchase_order', seller: 'sales_order' } as const;

/** Collects what a system shows that did everything right. */
export class Appearance {
  readonly events: SeenEvent[] = [];
  readonly seen = {
    events: this.events,
    orders: [] as Seen['orders'][number][],
    settlements: [] as SettlementRow[],
    legs: [] as Seen['legs'][number][],
    rejections: [] as Seen['rejections'][number][],
    quarantine: [] as QuarantineRow[],
    attempted: new Set<string>(),
    holds: [] as HoldRow[],
    audit: [] as AuditRow[],
    keptBytes: new Set<string>(),
    storedEvents: new Map<string, string>(),
    stuck: [] as string[],
  };
  readonly #sequences = new Map<string, number>();

  publish(subject: string, type: string, data: SeenEvent['data'] = {}): SeenEvent {
    const topic = /payment|invoice/.test(type)
      ? 'payments'
      : type.includes('delivery')
        ? 'deliveries'
        : type.includes('contract')
          ? 'rejections'
          : 'events';
    const stream = `${topic} ${subject}`;
    const next = (this.#sequences.get(stream) ?? 0) + 1;
    this.#sequences.set(stream, next);
    const id = `event-${this.events.length}`;
    const time = `2026-11-22T12:00:00.${String(this.events.length).padStart(6, '0')}Z`;
    const sequence = topic === 'rejections' ? undefined : String(next).padStart(10, '0');
    const event = { id, type, topic, subject, sequence, time, data, digest: sha256(id) } as const;
    this.events.push(event);
    this.seen.storedEvents.set(id, event.digest);
    return event;
  }

  accept(good: GoodContract, current = true): void {
    const { contractId, contract, value } = good;
    const { negotiationId } = contract;
    const { total } = contract.terms;
    this.seen.settlements.push({
      contractId,
      negotiationId,
      current,
      state: 'ordered',
      total,
      orderReference: 'R',
      duplicates: 0,
    });
    this.seen.legs.push(...servedSides(HANDLING, contract).map((side) => ({ contractId, side, sum: total })));
    this.seen.keptBytes.add(sha256(value));
    this.publish(contractId, 'org.v402.settlement.accepted.v1');
  }

  settle(good: GoodContract): void {
    this.accept(good);
    this.goOn(good);
  }

  /** What follows from an accepted contract. */
  goOn(good: GoodContract): void {
    const { contractId, contract } = good;
    for (const { type, side, about } of eventsOfContract(contract, contractId, HANDLING, NOW).slice(1)) {
      const leg = contract.terms.payment.schedule.find(({ id }) => id === about && /payment|invoice/.test(type));
      const amount = leg && { amount: leg.amount, currency: contract.terms.currency };
      this.publish(contractId, type, {
        ...(side !== undefined && { side }),
        ...(leg !== undefined && { legId: leg.id }),
        ...(amount !== undefined && { amount }),
        ...(type.includes('delivery') && about !== undefined && { deliveryId: about }),
      });
    }
    for (const side of servedSides(HANDLING, contract)) this.order(good, side);
  }

  order({ contractId, contract: { terms } }: GoodContract, side: 'buyer' | 'seller'): void {
    this.seen.attempted.add(contractId);
    const { total, currency } = terms;
    this.seen.orders.push({ kind: ORDER_KINDS[side], reference: 'R', contractId, total, currency });
  }

  /** @returns the id of the case */
  quarantine(loser: GoodContract, winner: GoodContract): string {
    const { contractId, value } = loser;
    const holdId = this.hold(winner, 'equivocation');
    const id = `case-${this.seen.quarantine.length}`;
    const about = { contractId, conflictsWith: winner.contractId, rawDigest: sha256(value) };
    this.seen.quarantine.push({ id, reason: 'equivocation', ...about, holdId, resolution: null, occurrences: 1 });
    this.seen.keptBytes.add(sha256(value));
    this.publish(contractId, 'org.v402.contract.quarantined.v1', { conflictsWith: winner.contractId });
    return id;
  }

  /** Holds the deal of a contract. @returns the id of the hold */
  hold({ contractId, contract: { negotiationId } }: GoodContract, reason: string): string {
    const id = `hold-${this.seen.holds.length}`;
    this.seen.holds.push({ id, negotiationId, contractId, reason, isOpen: true, resolution: null });
    this.publish(contractId, 'org.v402.hold.placed.v1', { holdId: id });
    return id;
  }

  /** An operator decides a case: an entry in quarantine, or a hold that has none. */
  decide(id: string, resolution: 'release' | 'reject'): void {
    const { quarantine, holds } = this.seen;
    const entry = quarantine.some((each) => each.id === id) ? change(quarantine, { id }, { resolution }) : undefined;
    const hold = change(holds, { id: entry?.holdId ?? id }, { resolution, isOpen: false });
    this.publish(hold.contractId, 'org.v402.hold.released.v1', { holdId: hold.id });
    this.write(id, { action: resolution });
  }

  write(subject: string, changes: Partial<AuditRow> = {}): void {
    const last = this.seen.audit.at(-1);
    const entry = {
      sequence: String(Number(last?.sequence ?? 0) + 1),
      at: NOW,
      actor: 'operator-1',
      login: 'v402_operator_login',
      action: 'reject',
      subject,
      contractId: null,
      reason: 'It does not stand.',
      details: { otherContract: 'o', case: 'equivocation' },
      previous: last?.digest ?? '0'.repeat(64),
      ...changes,
    };
    this.seen.audit.push({ ...entry, digest: changes.digest ?? auditDigest(entry) });
  }

  /** It does not count any more. */
  supersede(good: GoodContract): void {
    this.change(good, { current: false, state: 'superseded' });
  }

  change({ contractId }: GoodContract, changes: Partial<SettlementRow>): void {
    change(this.seen.settlements, { contractId }, changes);
  }
}

/** Changes the one row that looks like this. */
function change<Row extends object>(rows: Row[], like: Partial<Row>, changes: Partial<Row>): Row {
  const names = Object.keys(like) as (keyof Row)[];
  const at = rows.findIndex((row) => names.every((name) => row[name] === like[name]));
  const row = rows[at];
  if (row === undefined) throw new RangeError('There is no row to change.');
  return (rows[at] = { ...row, ...changes });
}

/** The RFC 8785 form has its members in this order. */
function auditDigest(entry: Omit<AuditRow, 'digest'>): string {
  const { sequence, at, actor, login, action, subject, contractId, reason, details, previous } = entry;
  const sorted = Object.fromEntries(
    Object.keys(details)
      .sort()
      .map((name) => [name, details[name]]),
  );
  const form = { action, actor, at, contractId, details: sorted, login, previous, reason, sequence, subject };
  return sha256(JSON.stringify(form));
}
