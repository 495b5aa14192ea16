import { createHash } from 'node:crypto';
import { compareDecimals, type Instant, type Side } from '@v402/domain';
import { eventsOfContract, HANDLING, servedSides } from '@v402/simulators';
import type { GoodContract, Story } from '../stories/story.js';
import type { Books } from './books.js';
import type { SeenEvent } from './seen.js';
import type { Check, Violation } from './violation.js';

const REQUESTS = /^org\.v402\.(payment|invoice|delivery)\.requested\.v1$/;
const ORDER_KINDS: Readonly<Record<Side, string>> = { seller: 'sales_order', buyer: 'purchase_order' };

/** Whether of one story came what must come of it, and nothing else. */
export function checkStory(story: Story, books: Books, now: Instant): readonly Violation[] {
  const check = new StoryCheck(books, now);
  switch (story.kind) {
    case 'agreed':
      check.settled(story.contract, story.contract.contractId);
      check.notHeld(story.contract);
      break;
    case 'refused':
      check.refused(story.rawDigest, story.code);
      break;
    case 'poison':
      check.parked(story.contract);
      break;
    case 'rivals': {
      const [one, other] = story.rivals;
      const [winner, loser] = check.isAccepted(one) ? [one, other] : [other, one];
      check.begun(winner);
      check.quarantined(loser, winner);
      check.held(winner, 'equivocation');
      break;
    }
    case 'amended':
      check.chain(story.chain);
      break;
    case 'forked': {
      const [one, other] = story.amendments;
      const [winner, loser] = check.isAccepted(one) ? [one, other] : [other, one];
      check.onlyOneBegun([story.base, winner]);
      check.begun(winner);
      check.quarantined(loser, winner);
      check.held(winner, 'equivocation');
      break;
    }
  }
  return check.violations;
}

class StoryCheck {
  readonly violations: Violation[] = [];

  constructor(
    private readonly books: Books,
    private readonly now: Instant,
  ) {}

  isAccepted({ contractId }: GoodContract): boolean {
    return this.books.settlements(contractId).length > 0;
  }

  /** Accepted, ordered, and everything asked for that is due. */
  settled(good: GoodContract, reference: string): void {
    this.#acceptedOnce(good, true);
    this.#ordersOf(good, 'all');
    const expected = eventsOfContract(good.contract, good.contractId, HANDLING, this.now)
      .map(({ type, side, about }) => [type, side ?? '', about ?? ''].join(' '))
      .sort();
    const found = this.#eventNames(good);
    this.#same('settlement', `events of ${good.contractId} (deal of ${reference})`, found, expected);
    this.#amounts(good);
  }

  /** Accepted; what has begun of it has begun once. */
  begun(good: GoodContract): void {
    this.#acceptedOnce(good, true);
    this.#within(good);
  }

  /** The last contract counts, unless its base had begun before it came: then a person has to look. */
  chain(chain: readonly [GoodContract, ...GoodContract[]]): void {
    const last = chain.at(-1) ?? chain[0];
    for (const amended of chain.slice(0, -1)) this.#acceptedOnce(amended, false);
    this.onlyOneBegun(chain);
    const holds = this.books.openHolds(chain[0].contract.negotiationId);
    if (holds.length === 0) {
      this.settled(last, chain[0].contractId);
      for (const { contractId } of chain.slice(0, -1)) {
        if (this.books.settlements(contractId)[0]?.state !== 'superseded') {
          this.#wrong('settlement', `${contractId} was amended before it began, and is not superseded`);
        }
      }
    } else {
      for (const good of chain) this.#within(good);
      this.#acceptedOnce(last, true);
      this.held(last, 'amendment_after_start');
      if (!chain.slice(0, -1).some((good) => this.#hasBegun(good))) {
        this.#wrong('stuck', `${last.contractId} is held although nothing that it amends had begun`);
      }
    }
  }

  /** Of all contracts of a deal, at most one has orders or was asked to be paid or delivered. */
  onlyOneBegun(chain: readonly GoodContract[]): void {
    const begun = chain.filter(
      ({ contractId }) => this.books.orders(contractId).length > 0 || this.#isAskedFor(contractId),
    );
    if (begun.length > 1) {
      this.#wrong('order', `of one deal, ${begun.map(({ contractId }) => contractId).join(' and ')} have begun`);
    }
  }

  quarantined({ contractId, value }: GoodContract, winner: GoodContract): void {
    const entries = this.books.quarantine(contractId);
    if (entries.length !== 1) this.#wrong('quarantine', `${contractId} is ${entries.length} times in quarantine`);
    if (entries.some(({ conflictsWith }) => conflictsWith !== winner.contractId)) {
      this.#wrong('quarantine', `${contractId} does not conflict with ${winner.contractId} in quarantine`);
    }
    if (this.isAccepted({ contractId } as GoodContract)) this.#wrong('quarantine', `${contractId} was accepted, too`);
    this.#untouched(contractId);
    if (!this.books.seen.keptBytes.has(digestOf(value))) this.#wrong('quarantine', `bytes of ${contractId} are lost`);
    const announced = this.books.events(contractId).filter(({ type }) => type === 'org.v402.contract.quarantined.v1');
    if (announced.length !== 1) this.#wrong('quarantine', `${contractId} was announced ${announced.length} times`);
  }

  held({ contract, contractId }: GoodContract, reason: string): void {
    const holds = this.books.openHolds(contract.negotiationId);
    if (!holds.some((hold) => hold.reason === reason))
      this.#wrong('hold', `the deal of ${contractId} has no ${reason}`);
  }

  notHeld({ contract, contractId }: GoodContract): void {
    const holds = this.books.openHolds(contract.negotiationId);
    if (holds.length > 0)
      this.#wrong('stuck', `${contractId} is held: ${holds.map(({ reason }) => reason).join(', ')}`);
    if (this.books.quarantine(contractId).length > 0) this.#wrong('quarantine', `${contractId} is in quarantine`);
  }

  refused(rawDigest: string, code: string): void {
    const codes = this.books.rejectionCodes(rawDigest);
    this.#same('refusal', `codes of ${rawDigest}`, codes, [code]);
    const announced = this.books.announcedCodes(rawDigest).map(String);
    this.#same('refusal', `announced codes of ${rawDigest}`, announced, [code]);
    if (!this.books.seen.keptBytes.has(rawDigest)) this.#wrong('refusal', `bytes of ${rawDigest} are lost`);
    if (this.books.undecidable(rawDigest).length > 0) this.#wrong('quarantine', `refused ${rawDigest} was parked, too`);
  }

  parked({ contractId, value }: GoodContract): void {
    const digest = digestOf(value);
    const entries = this.books.undecidable(digest);
    if (entries.length !== 1) this.#wrong('quarantine', `poison ${contractId} is parked ${entries.length} times`);
    if (!this.books.seen.keptBytes.has(digest)) this.#wrong('quarantine', `bytes of poison ${contractId} are lost`);
    if (this.isAccepted({ contractId } as GoodContract)) this.#wrong('quarantine', `poison ${contractId} was accepted`);
    this.#untouched(contractId);
  }

  #untouched(contractId: string): void {
    if (this.books.orders(contractId).length > 0) this.#wrong('order', `${contractId} must not count, and was ordered`);
    if (this.#isAskedFor(contractId)) this.#wrong('payment', `${contractId} must not count, and was carried out`);
  }

  #isAskedFor(contractId: string): boolean {
    return this.books.events(contractId).some(({ type }) => REQUESTS.test(type));
  }

  #hasBegun({ contractId }: GoodContract): boolean {
    return this.books.seen.attempted.has(contractId) || this.#isAskedFor(contractId);
  }

  /** Nothing came of it but what was agreed, and nothing of that twice. */
  #within(good: GoodContract): void {
    this.#ordersOf(good, 'some');
    const allowed = eventsOfContract(good.contract, good.contractId, HANDLING, this.now).map(({ type, side, about }) =>
      [type, side ?? '', about ?? ''].join(' '),
    );
    const names = this.#eventNames(good);
    const extra = names.filter((name, index) => !allowed.includes(name) || names.indexOf(name) !== index);
    if (extra.length > 0)
      this.#wrong('settlement', `${good.contractId} has ${extra.join(', ')} beyond what was agreed`);
    this.#amounts(good);
  }

  #acceptedOnce({ contractId, contract, value }: GoodContract, isCurrent: boolean): void {
    const rows = this.books.settlements(contractId);
    if (rows.length !== 1) this.#wrong('settlement', `${contractId} has ${rows.length} settlements`);
    if (rows.some(({ current }) => current !== isCurrent)) {
      this.#wrong('settlement', `${contractId} is ${isCurrent ? 'not' : 'still'} the current contract of its deal`);
    }
    const accepted = this.books.events(contractId).filter(({ type }) => type === 'org.v402.settlement.accepted.v1');
    if (accepted.length !== 1) this.#wrong('settlement', `${contractId} was announced ${accepted.length} times`);
    if (this.books.undecidable(digestOf(value)).length > 0) this.#wrong('quarantine', `good ${contractId} was parked`);
    if (rows.some(({ total }) => compareDecimals(total, contract.terms.total) !== 0)) {
      this.#wrong('settlement', `${contractId} is settled with another total`);
    }
    const sums = this.books.legSums(contractId);
    this.#same(
      'payment',
      `sides with legs of ${contractId}`,
      sums.map(({ side }) => side),
      servedSides(HANDLING, contract),
    );
    for (const { side, sum } of sums) {
      if (compareDecimals(sum, contract.terms.total) !== 0) {
        this.#wrong('payment', `legs of ${contractId} ${side} sum up to ${sum} instead of ${contract.terms.total}`);
      }
    }
  }

  #ordersOf({ contractId, contract }: GoodContract, how: 'all' | 'some'): void {
    const orders = this.books.orders(contractId);
    const kinds = orders.map(({ kind }) => kind).sort();
    const due = servedSides(HANDLING, contract)
      .map((side) => ORDER_KINDS[side])
      .sort();
    if (how === 'all') this.#same('order', `orders of ${contractId}`, kinds, due);
    if (new Set(kinds).size !== kinds.length)
      this.#wrong('order', `${contractId} was ordered twice: ${kinds.join(', ')}`);
    const { total, currency } = contract.terms;
    const [settlement] = this.books.settlements(contractId);
    for (const order of orders) {
      if (order.reference !== settlement?.orderReference) {
        this.#wrong('order', `order of ${contractId} stands under ${order.reference}`);
      }
      if (compareDecimals(order.total, total) !== 0 || order.currency !== currency) {
        this.#wrong(
          'order',
          `order of ${contractId}: ${order.total} ${order.currency} instead of ${total} ${currency}`,
        );
      }
    }
    const created = this.books.events(contractId).filter(({ type }) => type === 'org.v402.order.created.v1');
    if (created.length !== orders.length) {
      this.#wrong('order', `${contractId} has ${orders.length} orders, of which ${created.length} were announced`);
    }
  }

  #amounts({ contractId, contract }: GoodContract): void {
    const agreed = new Map(contract.terms.payment.schedule.map(({ id, amount }) => [id, amount]));
    for (const { type, data } of this.books.events(contractId)) {
      if (data.legId === undefined || data.amount === undefined) continue;
      const amount = agreed.get(data.legId);
      const isAgreed =
        amount !== undefined &&
        compareDecimals(amount, data.amount.amount) === 0 &&
        data.amount.currency === contract.terms.currency;
      if (!isAgreed) this.#wrong('payment', `${type} of ${contractId} ${data.legId} is not what was agreed`);
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

  #same(check: Check, what: string, found: readonly string[], expected: readonly string[]): void {
    const missing = expected.filter((name) => !found.includes(name));
    const extra = found.filter((name) => !expected.includes(name));
    if (missing.length > 0) this.#wrong(check, `${what}: ${missing.join(', ')} missing`);
    if (extra.length > 0) this.#wrong(check, `${what}: ${extra.join(', ')} too many`);
    if (missing.length + extra.length === 0 && found.length !== expected.length) {
      this.#wrong(check, `${what}: ${found.length} instead of ${expected.length}`);
    }
  }

  #wrong(check: Check, text: string): void {
    this.violations.push({ check, text });
  }
}

const TROUBLES: ReadonlySet<string> = new Set([
  'org.v402.order.outcome_unknown.v1',
  'org.v402.hold.placed.v1',
  'org.v402.settlement.superseded.v1',
  'org.v402.contract.rejected.v1',
]);

function nameOf({ type, data: { side, legId, deliveryId } }: SeenEvent): string {
  return [type, side ?? '', legId ?? deliveryId ?? ''].join(' ');
}

const digestOf = (value: Uint8Array): string => createHash('sha256').update(value).digest('hex');
