import { createHash } from 'node:crypto';
import { compareDecimals, type Instant, type Side } from '@v402/domain';
import { eventsOfContract, HANDLING, servedSides } from '@v402/simulators';
import type { GoodContract } from '../stories/story.js';
import type { Books } from './books.js';
import type { SeenEvent } from './seen.js';
import type { Check, Violation } from './violation.js';

const REQUESTS = /^org\.v402\.(payment|invoice|delivery)\.requested\.v1$/;
export const QUARANTINED = 'org.v402.contract.quarantined.v1';
export const ORDER_KINDS: Readonly<Record<Side, string>> = { seller: 'sales_order', buyer: 'purchase_order' };

/** What must have come of one contract, and notes of what did not. */
export class ContractCheck {
  readonly violations: Violation[] = [];

  constructor(
    private readonly books: Books,
    private readonly now: Instant,
  ) {}

  /** Accepted, ordered, and everything asked for that is due. */
  settled(good: GoodContract, reference: string): void {
    this.acceptedOnce(good, true);
    this.ordersOf(good, 'all');
    const found = this.#eventNames(good);
    this.same('settlement', `events of ${good.contractId} (deal of ${reference})`, found, this.due(good));
    this.#amounts(good);
  }

  /** Accepted; what has begun of it has begun once. */
  begun(good: GoodContract): void {
    this.acceptedOnce(good, true);
    this.within(good);
  }

  /** Nothing came of it but what was agreed, and nothing of that twice. */
  within(good: GoodContract): void {
    this.ordersOf(good, 'some');
    const allowed = this.due(good);
    const names = this.#eventNames(good);
    const extra = names.filter((name, index) => !allowed.includes(name) || names.indexOf(name) !== index);
    if (extra.length > 0) this.wrong('settlement', `${good.contractId} has ${extra.join(', ')} beyond what was agreed`);
    this.#amounts(good);
  }

  /** The names of what must come of a contract that is settled, in order. */
  due({ contract, contractId }: GoodContract): readonly string[] {
    return eventsOfContract(contract, contractId, HANDLING, this.now)
      .map(({ type, side, about }) => [type, side ?? '', about ?? ''].join(' '))
      .sort();
  }

  /** What was asked for under a contract, each event once. */
  requests({ contractId }: GoodContract): readonly SeenEvent[] {
    return this.books.events(contractId).filter(({ type }) => REQUESTS.test(type));
  }

  /** Accepted and announced once, with legs that sum up to the total. */
  acceptedOnce({ contractId, contract, value }: GoodContract, isCurrent: boolean): void {
    const rows = this.books.settlements(contractId);
    if (rows.length !== 1) this.wrong('settlement', `${contractId} has ${rows.length} settlements`);
    if (rows.some(({ current }) => current !== isCurrent)) {
      this.wrong('settlement', `${contractId} is ${isCurrent ? 'not' : 'still'} the current contract of its deal`);
    }
    const accepted = this.books.events(contractId).filter(({ type }) => type === 'org.v402.settlement.accepted.v1');
    if (accepted.length !== 1) this.wrong('settlement', `${contractId} was announced ${accepted.length} times`);
    if (this.books.undecidable(digestOf(value)).length > 0) this.wrong('quarantine', `good ${contractId} was parked`);
    if (rows.some(({ total }) => compareDecimals(total, contract.terms.total) !== 0)) {
      this.wrong('settlement', `${contractId} is settled with another total`);
    }
    const sums = this.books.legSums(contractId);
    const sides = sums.map(({ side }) => side);
    this.same('payment', `sides with legs of ${contractId}`, sides, servedSides(HANDLING, contract));
    for (const { side, sum } of sums) {
      if (compareDecimals(sum, contract.terms.total) !== 0) {
        this.wrong('payment', `legs of ${contractId} ${side} sum up to ${sum} instead of ${contract.terms.total}`);
      }
    }
  }

  /** At most one order a side, with the agreed total, announced. @param how `all`: none is missing */
  ordersOf({ contractId, contract }: GoodContract, how: 'all' | 'some'): void {
    const orders = this.books.orders(contractId);
    const kinds = orders.map(({ kind }) => kind).sort();
    const due = servedSides(HANDLING, contract)
      .map((side) => ORDER_KINDS[side])
      .sort();
    if (how === 'all') this.same('order', `orders of ${contractId}`, kinds, due);
    if (new Set(kinds).size !== kinds.length)
      this.wrong('order', `${contractId} was ordered twice: ${kinds.join(', ')}`);
    const { total, currency } = contract.terms;
    const [settlement] = this.books.settlements(contractId);
    for (const order of orders) {
      if (order.reference !== settlement?.orderReference) {
        this.wrong('order', `order of ${contractId} stands under ${order.reference}`);
      }
      if (compareDecimals(order.total, total) !== 0 || order.currency !== currency) {
        this.wrong('order', `order of ${contractId}: ${order.total} ${order.currency} instead of ${total} ${currency}`);
      }
    }
    const created = this.books.events(contractId).filter(({ type }) => type === 'org.v402.order.created.v1');
    if (created.length !== orders.length) {
      this.wrong('order', `${contractId} has ${orders.length} orders, of which ${created.length} were announced`);
    }
  }

  #amounts({ contractId, contract }: GoodContract): void {
    const agreed = new Map(contract.terms.payment.schedule.map(({ id, amount }) => [id, amount]));
    for (const { type, data } of this.books.events(contractId)) {
      const { legId } = data;
      if (legId === undefined) continue;
      const amount = agreed.get(legId);
      const stated = [data.amount, data.instructedAmount].filter((each) => each !== undefined);
      const areAgreed = stated.every(
        (each) =>
          amount !== undefined &&
          compareDecimals(amount, each.amount) === 0 &&
          each.currency === contract.terms.currency,
      );
      if (!areAgreed) this.wrong('payment', `${type} of ${contractId} ${legId} is not what was agreed`);
    }
  }

  /** What a contract has brought about, but for what tells of troubles on the way. */
  #eventNames({ contractId }: GoodContract): readonly string[] {
    return this.books
      .events(contractId)
      .filter(({ type }) => !TROUBLES.has(type))
      .map(nameOf)
      .sort();
  }

  /** Of what must not count, nothing was ordered or asked for. */
  untouched(good: GoodContract): void {
    const { contractId } = good;
    if (this.books.orders(contractId).length > 0) this.wrong('order', `${contractId} must not count, and was ordered`);
    if (this.requests(good).length > 0) this.wrong('payment', `${contractId} must not count, and was carried out`);
  }

  /** Notes what is missing, and what is too many. */
  same(check: Check, what: string, found: readonly string[], expected: readonly string[]): void {
    const missing = expected.filter((name) => !found.includes(name));
    const extra = found.filter((name) => !expected.includes(name));
    if (missing.length > 0) this.wrong(check, `${what}: ${missing.join(', ')} missing`);
    if (extra.length > 0) this.wrong(check, `${what}: ${extra.join(', ')} too many`);
    if (missing.length + extra.length === 0 && found.length !== expected.length) {
      this.wrong(check, `${what}: ${found.length} instead of ${expected.length}`);
    }
  }

  wrong(check: Check, text: string): void {
    this.violations.push({ check, text });
  }
}

const TROUBLES: ReadonlySet<string> = new Set([
  'org.v402.order.outcome_unknown.v1',
  'org.v402.order.changed.v1',
  'org.v402.hold.placed.v1',
  'org.v402.hold.released.v1',
  QUARANTINED,
  'org.v402.settlement.superseded.v1',
  'org.v402.contract.rejected.v1',
]);

/** What an event is about, of whichever contract of its deal. */
export function nameOf({ type, data: { side, legId, deliveryId } }: Pick<SeenEvent, 'type' | 'data'>): string {
  return [type, side ?? '', legId ?? deliveryId ?? ''].join(' ');
}

export const digestOf = (value: Uint8Array): string => createHash('sha256').update(value).digest('hex');
