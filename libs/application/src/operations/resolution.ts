import type { EventNaming } from '../events/settlement-stream.js';
import type { AcceptContractsHandler } from '../intake/accept-contracts.handler.js';
import type { DeliveryLead } from '../orders/work-after-order.js';
import type { OperatorCase } from '../ports/case-store.js';
import type { AcceptedContract, DealKey } from '../ports/settlement-store.js';
import type { Transaction } from '../ports/unit-of-work.js';

/** What an action works with: the case is locked, and so are its deal and all of the deal's settlements. */
export interface LockedCase {
  readonly tx: Transaction;
  readonly one: OperatorCase;
  readonly settlements: readonly AcceptedContract[];
  readonly actor: string;
  readonly naming: EventNaming;
  readonly deliveryLead: DeliveryLead;
  /** Decides stored bytes as intake does. Asked for only where bytes are decided: it needs the trust registry. */
  readonly intake: () => AcceptContractsHandler;
}

/** What an action has changed, in texts for the audit trail and for the person who acted. */
export type Changes = Readonly<Record<string, string>>;

/** An action whose checks have passed. Nothing was written before. */
export interface Prepared {
  /** It ends a hold that stands, or lets a message in: over an amount that takes a second person. */
  readonly letsGoOn: boolean;
  readonly perform: () => Promise<Changes>;
}

/** Locks the deal, then all its settlements: the same order as everywhere. */
export async function lockDeal(tx: Transaction, key: DealKey | undefined): Promise<readonly AcceptedContract[]> {
  if (key === undefined) return [];
  await tx.deals.lock([key]);
  return tx.settlements.lockOfDeals([key]);
}
