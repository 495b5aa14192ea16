import { compareDecimals, paymentLegTable, sumDecimals, transition, type AgreedLeg, type Side } from '@v402/domain';
import type { PaymentLeg } from '../ports/progress-store.js';
import { askedFor, type AdoptionBlock, type ChainMember } from './chain-member.js';

interface AskedLeg {
  readonly row: PaymentLeg;
  readonly agreed: AgreedLeg | undefined;
}

/** Legs of an amendment that were asked for under an earlier contract, or that must not be asked for. */
export function adoptLegs({ contract, legs }: ChainMember, earlier: readonly ChainMember[], side: Side): PaymentLeg[] {
  const { total, currency, payment } = contract.terms;
  const asked = new Map<string, AskedLeg>();
  for (const member of earlier) {
    for (const [id, row] of askedFor(member.legs, side, ({ legId }) => legId)) {
      asked.set(id, { row, agreed: member.contract.terms.payment.schedule.find((leg) => leg.id === id) });
    }
  }
  const isOtherCurrency = [...asked.values()].some(({ row }) => row.currency !== currency);
  let sum = sumDecimals([...asked.values()].map(({ row }) => row.amount));
  const adopted: PaymentLeg[] = [];
  for (const row of legs.filter((each) => each.side === side)) {
    const before = asked.get(row.legId);
    if (before !== undefined) {
      const agreed = payment.schedule.find(({ id }) => id === row.legId);
      adopted.push(
        isSameRequest(before, row, agreed) ? askedLeg(row, before.row) : blockLeg(row, 'differs_from_request'),
      );
      continue;
    }
    const raised = sumDecimals([sum, row.amount]);
    if (isOtherCurrency) adopted.push(blockLeg(row, 'currency_differs_from_request'));
    else if (compareDecimals(raised, total) > 0) adopted.push(blockLeg(row, 'exceeds_total'));
    else sum = raised;
  }
  return adopted;
}

/** The same money to the same payee by the same way: the parties are the deal's, so the rail's own address is what is left. */
function isSameRequest({ row, agreed: before }: AskedLeg, leg: PaymentLeg, agreed: AgreedLeg | undefined): boolean {
  return (
    row.currency === leg.currency &&
    row.rail === leg.rail &&
    compareDecimals(row.amount, leg.amount) === 0 &&
    before?.x402?.network === agreed?.x402?.network &&
    before?.x402?.asset === agreed?.x402?.asset &&
    before?.x402?.payTo === agreed?.x402?.payTo
  );
}

function askedLeg(row: PaymentLeg, { attempt, triggeredAt, dueDate }: PaymentLeg): PaymentLeg {
  return { ...row, attempt, triggeredAt, dueDate, state: transition(paymentLegTable, row.state, 'adopt') };
}

const blockLeg = (row: PaymentLeg, code: AdoptionBlock): PaymentLeg => ({
  ...row,
  state: transition(paymentLegTable, row.state, 'block'),
  code,
});
