import { SIDES, type SettlementContract, type Side } from '@v402/domain';

/** What the enterprise has configured about intake. */
export interface IntakePolicy {
  /** Null: no id, so every `audience` is refused. */
  readonly handlerId: string | null;
  /** Ids of the parties that this handler serves; null: it serves all, both sides of each contract. */
  readonly servedParties: readonly string[] | null;
  readonly requireTranscript: boolean;
  /** What an unexpired equivocation does to what the first contract has not started: wait for an operator, or go on. */
  readonly conflict: 'hold' | 'continue';
  /** Kept with every decision. */
  readonly codeVersion: string;
}

/** The sides of this contract that we handle: a sales order for the seller, a purchase order for the buyer. */
export function servedSides(policy: IntakePolicy, contract: SettlementContract): readonly Side[] {
  const served = policy.servedParties;
  return served === null ? SIDES : SIDES.filter((side) => served.includes(contract.parties[side].id));
}
