import { isExpired } from '@v402/contract';
import type { KeyEvidence } from '@v402/contract';
import { TerminalError, type Arrival, type ContractId, type Refusal } from '@v402/domain';
import type { RawMessage } from '../ports/evidence-store.js';
import type { IdentifiedMessage, InboundMessage } from './inbound-message.js';

/** A message whose bytes are kept and whose arrival is known, whatever it holds. */
export interface SeenMessage {
  readonly message: InboundMessage;
  readonly raw: RawMessage;
  readonly arrival: Arrival;
  /** Digest of the trust registry that was in use when it was looked at. */
  readonly registryDigest: string;
}

/** A message after everything that needs no lock: parsed, its rules and signatures checked. */
export interface ExaminedMessage extends SeenMessage {
  /** Undefined where the value is no envelope at all. */
  readonly identified: IdentifiedMessage | undefined;
  /** `known`: accepted or quarantined before, so nothing was looked at. */
  readonly verdict: { readonly keys: readonly KeyEvidence[] } | { readonly refusal: Refusal } | 'known';
}

/** An accepted contract of a deal, as far as the next message of that deal has to know it. */
export interface AcceptedLink {
  readonly contractId: ContractId;
  readonly shortRef: string;
  readonly orderReference: string;
  /** Something of it, or of a contract before it, has passed its point of no return. */
  readonly started: boolean;
}

/** What has been accepted and quarantined of one deal so far. Messages of the deal are decided on it one by one. */
export interface DealState {
  readonly accepted: ReadonlySet<ContractId>;
  readonly current: AcceptedLink | undefined;
  readonly quarantined: ReadonlySet<ContractId>;
}

export type Decision =
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'still_quarantined' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'equivocation'; readonly conflictsWith: AcceptedLink; readonly unexpired: boolean }
  | { readonly kind: 'accepted' }
  /** An amendment whose base has not started: it takes the base's place. */
  | { readonly kind: 'replaces'; readonly base: AcceptedLink }
  /** An amendment whose base has started: an operator has to look at it. */
  | { readonly kind: 'amends_after_start'; readonly base: AcceptedLink };

/**
 * Decides one identified message on the state of its deal, in the order of section 7: what is known stays as it is, then
 * the stateless refusals, then `superseded_unknown`, `negotiation_conflict` and `expired`.
 */
export function decide(examined: ExaminedMessage, identified: IdentifiedMessage, deal: DealState): Decision {
  const { contractId } = identified;
  const { contract } = identified.envelope;
  if (deal.accepted.has(contractId)) return { kind: 'duplicate' };
  if (deal.quarantined.has(contractId)) return { kind: 'still_quarantined' };
  // A known contract never becomes unknown, so the verdict `known` cannot get past the two lines above.
  if (examined.verdict === 'known') {
    throw new TerminalError('known_contract_lost', 'A contract that was known is not any more.', { contractId });
  }
  if ('refusal' in examined.verdict) return { kind: 'refused', refusal: examined.verdict.refusal };

  const { supersedes } = contract;
  const { current } = deal;
  if (supersedes !== undefined && !deal.accepted.has(supersedes)) {
    return { kind: 'refused', refusal: { code: 'superseded_unknown', where: '/contract/supersedes' } };
  }
  const expired = isExpired(contract, examined.arrival.at);
  if (current !== undefined && supersedes !== current.contractId) {
    return { kind: 'equivocation', conflictsWith: current, unexpired: !expired };
  }
  if (expired) return { kind: 'refused', refusal: { code: 'expired', where: '/contract/expiresAt' } };
  if (current === undefined) return { kind: 'accepted' };
  return { kind: current.started ? 'amends_after_start' : 'replaces', base: current };
}
