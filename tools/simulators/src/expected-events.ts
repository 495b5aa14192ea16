import {
  addDays,
  dateOf,
  SIDES,
  type AgreedLeg,
  type CalendarDate,
  type ContractId,
  type Instant,
  type SettlementContract,
  type Side,
} from '@v402/domain';
import type { EventType } from '@v402/events';
import { hasApprovedAccount, type Handling } from './world.js';

/** An event that must be published, exactly once. */
export interface ExpectedEvent {
  readonly type: EventType;
  /** The contractId, or the digest of a message without one. */
  readonly subject: string;
  /** Whose order, leg or delivery it is about. */
  readonly side?: Side;
  /** The id of the leg or delivery; why a hold was placed; which contract another conflicts with; digest and code of a refusal. */
  readonly about?: string;
}

/** The sides of a contract that the handler serves. */
export function servedSides({ parties }: Handling, contract: SettlementContract): readonly Side[] {
  return SIDES.filter((side) => parties.includes(contract.parties[side].id));
}

/**
 * What an accepted contract makes the handler publish at once, worked out from the contract alone by the rules of
 * `docs/events.md`. What becomes due later than at `now` is not among it.
 */
export function eventsOfContract(
  contract: SettlementContract,
  contractId: ContractId,
  handling: Handling,
  now: Instant,
): readonly ExpectedEvent[] {
  return [
    { type: 'org.v402.settlement.accepted.v1', subject: contractId },
    ...servedSides(handling, contract).flatMap((side): readonly ExpectedEvent[] => [
      { type: 'org.v402.order.created.v1', subject: contractId, side },
      ...contract.terms.payment.schedule.flatMap((leg) =>
        eventsOfLeg(contract, leg, side, handling, now).map((type) => ({
          type,
          subject: contractId,
          side,
          about: leg.id,
        })),
      ),
      ...contract.terms.delivery.schedule
        .filter(({ notBefore }) => isDue(notBefore, handling.deliveryLeadDays, now))
        .map(({ id }) => ({ type: 'org.v402.delivery.requested.v1' as const, subject: contractId, side, about: id })),
    ]),
  ];
}

function eventsOfLeg(
  { agreedAt, parties, terms }: SettlementContract,
  { trigger, days, rail }: AgreedLeg,
  side: Side,
  handling: Handling,
  now: Instant,
): readonly EventType[] {
  // Feedback from carriers fires these two; none comes in a simulated trade.
  if (trigger === 'shipped' || trigger === 'delivered') return [];
  if (rail === 'invoice' && side === 'seller') {
    return ['org.v402.payment.scheduled.v1', 'org.v402.invoice.requested.v1'];
  }
  const dueDate = addDays(dateOf(trigger === 'agreed' ? agreedAt : now), days);
  const needsAccount = side === 'buyer' && (rail === 'sepa' || rail === 'ach');
  const isBlocked = needsAccount && !hasApprovedAccount(parties.seller.id, rail, terms.currency);
  return isDue(dueDate, handling.paymentLeadDays[rail], now) && !isBlocked
    ? ['org.v402.payment.scheduled.v1', 'org.v402.payment.requested.v1']
    : ['org.v402.payment.scheduled.v1'];
}

/** Dates of one form compare as text; a day begins at 00:00 UTC. */
function isDue(date: CalendarDate, leadDays: number, now: Instant): boolean {
  return addDays(date, -leadDays) <= dateOf(now);
}
