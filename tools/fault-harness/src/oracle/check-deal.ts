import { compareDecimals, sumDecimals } from '@v402/domain';
import { HANDLING, servedSides } from '@v402/simulators';
import type { GoodContract } from '../stories/story.js';
import type { Books } from './books.js';
import { digestOf, nameOf, ORDER_KINDS, QUARANTINED, type ContractCheck } from './check-contract.js';
import type { SeenEvent } from './seen.js';

/** What says of an order that it exists: made for this contract, or for an earlier one and changed. */
const ORDER_STATED = /^org\.v402\.order\.(created|changed)\.v1$/;
const ASKED = /^org\.v402\.(payment|invoice|delivery)\.requested\.v1 /;

/** What must have become of a deal that has had several contracts, whatever operators decided of them. */
export class DealCheck {
  constructor(
    private readonly books: Books,
    private readonly contracts: ContractCheck,
  ) {}

  #isAccepted({ contractId }: GoodContract): boolean {
    return this.books.settlements(contractId).length > 0;
  }

  /**
   * Contracts of one deal, a base before what amends it. The last one counts that was neither voided nor displaced by an
   * operator; as long as a hold stands, no more has to have come of it than had before.
   * @param excluding those of which only one may count: who comes second is quarantined
   */
  check(contracts: readonly GoodContract[], excluding: readonly GoodContract[]): void {
    const accepted = contracts.filter((good) => this.#isAccepted(good));
    const standing = accepted.filter((good) => !this.#isDecided(good, 'reject') && !this.#isDisplaced(good));
    const both = excluding.filter((good) => standing.includes(good));
    if (both.length > 1) this.contracts.wrong('quarantine', `${idsOf(both)} exclude each other, and both count`);
    const isTakenOver = accepted.some((good) => this.#isDecided(good, 'release'));
    if (!isTakenOver) this.#onlyOneBegun(contracts);
    this.#askedOnce(contracts);
    this.#heldForReason(contracts);
    // What amends a contract that counts conflicts with nothing, unless that was voided before.
    const mayConflict = accepted.some((good) => this.#isDecided(good, 'reject')) ? contracts : excluding;
    for (const good of contracts) {
      if (accepted.includes(good) && this.books.quarantine(good.contractId).length === 0) continue;
      this.#quarantined(good, accepted);
      if (!mayConflict.includes(good)) this.contracts.wrong('quarantine', `${good.contractId} conflicts with nothing`);
    }
    const [first] = contracts;
    const current = standing.at(-1);
    if (first === undefined || current === undefined) {
      this.contracts.wrong('settlement', `of ${idsOf(contracts)} none counts`);
      return;
    }
    const isHeld = this.books.openHolds(first.contract.negotiationId).length > 0;
    for (const good of accepted) if (good !== current) this.#past(good, { hasBegun: isHeld || isTakenOver });
    if (isHeld) this.contracts.begun(current);
    else if (isTakenOver) this.#takenOver(current, accepted);
    else this.contracts.settled(current, first.contractId);
  }

  /** An operator decided on an amendment that came after the start: it counts, or is void and its base counts again. */
  #isDecided({ contract, contractId }: GoodContract, resolution: 'release' | 'reject'): boolean {
    return this.books
      .holds(contract.negotiationId)
      .filter(({ reason }) => reason === 'amendment_after_start')
      .some((hold) => hold.contractId === contractId && hold.resolution === resolution);
  }

  /** An amendment waits for a person only because something else of its deal had begun, be it decided by now or not. */
  #heldForReason(contracts: readonly GoodContract[]): void {
    for (const good of contracts) {
      const isHeld = this.books
        .holds(good.contract.negotiationId)
        .some(({ contractId, reason }) => contractId === good.contractId && reason === 'amendment_after_start');
      if (!isHeld || contracts.some((other) => other !== good && this.#hasBegun(other))) continue;
      this.contracts.wrong('stuck', `${good.contractId} was held although nothing that it amends had begun`);
    }
  }

  #hasBegun(good: GoodContract): boolean {
    return this.books.seen.attempted.has(good.contractId) || this.contracts.requests(good).length > 0;
  }

  /** An operator decided that another one takes its place. */
  #isDisplaced({ contractId }: GoodContract): boolean {
    return this.books.displacing(contractId).length > 0;
  }

  /** It was accepted, and does not count any more. */
  #past(good: GoodContract, { hasBegun }: { readonly hasBegun: boolean }): void {
    this.contracts.acceptedOnce(good, false);
    this.contracts.within(good);
    const [row] = this.books.settlements(good.contractId);
    if (!hasBegun && row !== undefined && row.state !== 'superseded') {
      this.contracts.wrong('settlement', `${good.contractId} does not count any more, and is ${row.state}`);
    }
  }

  /**
   * An amendment has taken over what had begun: each order, leg and delivery that is due was asked for under one of the
   * contracts, once, and never more in sum than the amendment says.
   */
  #takenOver(current: GoodContract, accepted: readonly GoodContract[]): void {
    const { contractId, contract } = current;
    this.contracts.begun(current);
    const sides = servedSides(HANDLING, contract);
    const kinds = accepted.flatMap((good) => this.books.orders(good.contractId)).map(({ kind }) => kind);
    const due = sides.map((side) => ORDER_KINDS[side]);
    this.contracts.same('order', `orders of the deal of ${contractId}`, kinds.sort(), due.sort());
    const stated = this.books.events(contractId).filter(({ type }) => ORDER_STATED.test(type));
    this.contracts.same(
      'order',
      `orders of ${contractId}, taken over or created`,
      stated.map(sideOf).sort(),
      [...sides].sort(),
    );
    const asked = accepted.flatMap((good) => this.contracts.requests(good));
    const names = new Set(asked.map(nameOf));
    for (const name of this.contracts.due(current)) {
      if (!ASKED.test(name) || names.has(name)) continue;
      this.contracts.wrong('settlement', `${contractId}: ${name} was never asked for`);
    }
    for (const side of sides) {
      const amounts = asked.flatMap(({ data }) => (data.side === side && data.amount ? [data.amount.amount] : []));
      const sum = sumDecimals(amounts);
      if (compareDecimals(sum, contract.terms.total) <= 0) continue;
      this.contracts.wrong('payment', `${contractId} ${side}: ${sum} was asked for instead of ${contract.terms.total}`);
    }
  }

  /** Whatever contracts a deal has had: a leg or delivery is asked for under one of them. */
  #askedOnce(contracts: readonly GoodContract[]): void {
    const asked = Map.groupBy(
      contracts.flatMap((good) => this.contracts.requests(good)),
      nameOf,
    );
    for (const [name, { length }] of asked) {
      if (length > 1) this.contracts.wrong('payment', `of ${idsOf(contracts)}, ${name} was asked for ${length} times`);
    }
  }

  /** Of all contracts of a deal, at most one has orders or was asked to be paid or delivered. */
  #onlyOneBegun(chain: readonly GoodContract[]): void {
    const begun = chain.filter(
      (good) => this.books.orders(good.contractId).length > 0 || this.contracts.requests(good).length > 0,
    );
    if (begun.length > 1) this.contracts.wrong('order', `of one deal, ${idsOf(begun)} have begun`);
  }

  /** It came second: set aside with its bytes, and nothing comes of it unless an operator puts it in the first one's place. */
  #quarantined(good: GoodContract, accepted: readonly GoodContract[]): void {
    const { contract, contractId, value } = good;
    const entries = this.books.quarantine(contractId);
    const [entry] = entries;
    if (entries.length !== 1)
      this.contracts.wrong('quarantine', `${contractId} is ${entries.length} times in quarantine`);
    const isReleased = entry?.resolution === 'release';
    const other = accepted.find((each) => each.contractId === entry?.conflictsWith);
    if (entry !== undefined && (other === undefined || other.contractId === contractId)) {
      this.contracts.wrong(
        'quarantine',
        `${contractId} conflicts with ${entry.conflictsWith ?? 'nothing'}, which does not count`,
      );
    }
    if (entry !== undefined && !this.books.holds(contract.negotiationId).some(({ id }) => id === entry.holdId)) {
      this.contracts.wrong('hold', `the deal of ${contractId} was not held`);
    }
    if (accepted.includes(good) !== isReleased) {
      this.contracts.wrong(
        'quarantine',
        `${contractId} was ${isReleased ? 'released, and not' : 'not released, and'} accepted`,
      );
    }
    if (!isReleased) this.contracts.untouched(good);
    if (!this.books.seen.keptBytes.has(digestOf(value)))
      this.contracts.wrong('quarantine', `bytes of ${contractId} are lost`);
    const announced = this.books.events(contractId).filter(({ type }) => type === QUARANTINED);
    if (announced.length !== 1)
      this.contracts.wrong('quarantine', `${contractId} was announced ${announced.length} times`);
  }
}

const sideOf = ({ data: { side } }: SeenEvent): string => side ?? '';

const idsOf = (contracts: readonly GoodContract[]): string =>
  contracts.map(({ contractId }) => contractId).join(' and ');
