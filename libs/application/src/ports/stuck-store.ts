import type { CalendarDate, ContractId, Micros, OrderPlacementState } from '@v402/domain';
import type { WorkKey } from './work-store.js';

/** A row that waits for work that is not there: nobody would ever look at it again. */
export interface StuckRow extends WorkKey {
  /** Of an order. */
  readonly state: OrderPlacementState | undefined;
  /** Of an order of unknown outcome: no look-up before this moment. */
  readonly lookUpNotBefore: Micros | undefined;
  /** Of a delivery: the start of its window. */
  readonly notBefore: CalendarDate | undefined;
}

/**
 * Finds rows without work by the facts: an order that is not decided, a leg or a delivery whose trigger has fired and that
 * was not asked for. What an open hold of the deal explains, or another current contract, is left out.
 */
export interface StuckStore {
  /** Settlements with such rows, by contractId, after the given one. Takes no lock: look again under the settlement's. */
  find(after: ContractId | undefined, limit: number): Promise<readonly ContractId[]>;
  /** Such rows of these settlements. */
  ofSettlements(ids: readonly ContractId[]): Promise<readonly StuckRow[]>;
}
