import { hasStarted, type ContractId } from '@v402/domain';
import type { AcceptedContract, DealKey } from '../ports/settlement-store.js';
import type { AcceptedLink, DealState } from './decide.js';
import { livesBesideAmendment } from './lives-beside-amendment.js';

interface MutableDealState {
  readonly accepted: Set<ContractId>;
  current: AcceptedLink | undefined;
  /** Something of any of its contracts has passed its point of no return, or had when an amendment came. */
  started: boolean;
  readonly quarantined: ReadonlySet<ContractId>;
}

/** The deals of a batch as they stand after each message: read under their locks, then carried on in memory. */
export class DealStates {
  readonly #deals = new Map<DealKey, MutableDealState>();
  readonly #quarantined: Set<ContractId>;

  constructor(stored: readonly AcceptedContract[], quarantined: ReadonlySet<ContractId>) {
    this.#quarantined = new Set(quarantined);
    for (const settlement of stored) {
      const deal = this.#deal(settlement.dealKey);
      deal.accepted.add(settlement.contractId);
      deal.started ||= hasStarted(settlement.facts) || livesBesideAmendment(settlement);
      if (!settlement.current) continue;
      const { contractId, shortRef, orderReference } = settlement;
      deal.current = { contractId, shortRef, orderReference, started: false };
    }
    // An amendment that waits for an operator has not started itself, but what came before it has.
    for (const deal of this.#deals.values()) {
      if (deal.current !== undefined) deal.current = { ...deal.current, started: deal.started };
    }
  }

  of(key: DealKey): DealState {
    return this.#deal(key);
  }

  accept(key: DealKey, link: AcceptedLink): void {
    const deal = this.#deal(key);
    deal.accepted.add(link.contractId);
    deal.current = { ...link, started: deal.started };
  }

  quarantine(contractId: ContractId): void {
    this.#quarantined.add(contractId);
  }

  #deal(key: DealKey): MutableDealState {
    let deal = this.#deals.get(key);
    if (deal === undefined) {
      deal = { accepted: new Set(), current: undefined, started: false, quarantined: this.#quarantined };
      this.#deals.set(key, deal);
    }
    return deal;
  }
}
