import type { AcceptedContract } from '../ports/settlement-store.js';

/**
 * Whether a contract was amended and lives on beside its amendment, because it had started when that came. Until an operator
 * has decided on the amendment either of them may go on, whatever the contract's own rows say by now: an order that was in
 * doubt may have turned out not to exist.
 */
export const livesBesideAmendment = ({ current, state }: AcceptedContract): boolean =>
  !current && state !== 'superseded';
