import { type ContractId, type SettlementContract, type Side } from '@v402/domain';
import { daysBefore } from '../days-before.js';
import type { NewWork } from '../ports/work-store.js';

/** How many days before the start of its window a delivery is asked for. */
export interface DeliveryLead {
  readonly days: number;
}

/** What an order's creation triggers on its side: the legs that wait for it, and the deliveries in good time. */
export function workAfterOrder(
  contractId: ContractId,
  contract: SettlementContract,
  side: Side,
  lead: DeliveryLead,
): readonly NewWork[] {
  const { payment, delivery } = contract.terms;
  return [
    ...payment.schedule
      .filter((leg) => leg.trigger === 'ordered')
      .map((leg): NewWork => ({ kind: 'payment_leg', contractId, side, subjectId: leg.id, dueAt: undefined })),
    ...delivery.schedule.map((agreed): NewWork => {
      const dueAt = daysBefore(agreed.notBefore, lead.days);
      return { kind: 'delivery', contractId, side, subjectId: agreed.id, dueAt };
    }),
  ];
}
