import {
  compareDecimals,
  compareInstants,
  fractionDigits,
  lineAmount,
  minorDigits,
  sumDecimals,
  type DecimalText,
  type Instant,
  type Refusal,
  type RefusalCode,
  type SettlementContract,
  type Terms,
} from '@v402/domain';

const MAX_ROUNDS = 7;
const MAX_SECONDS_AHEAD = 300;

/** What the rules need to know of the handler and of the message's arrival. */
export interface RuleContext {
  /** When the message reached the handler: the same on every redelivery (section 5). */
  readonly arrival: Instant;
  /** The handler's own id; null where none is configured, and then every audience is refused. */
  readonly handlerId: string | null;
  /** The parties that the handler serves; null where it is not configured, and then it serves all. */
  readonly servedParties: readonly string[] | null;
}

/** The stateless rules before the signatures, in the order of section 7. */
export function checkRules(contract: SettlementContract, context: RuleContext): Refusal | undefined {
  return (
    checkParties(contract) ??
    checkArithmetic(contract.terms) ??
    checkRounds(contract) ??
    checkAudience(contract, context) ??
    checkAgreement(contract, context)
  );
}

/** Whether a contract arrived too late to be accepted for the first time: arriving at `expiresAt` is in time. */
export function isExpired(contract: SettlementContract, arrival: Instant): boolean {
  return compareInstants(arrival, contract.expiresAt) > 0;
}

function refuse(code: RefusalCode, where: string): Refusal {
  return { code, where: `/contract${where}` };
}

function checkParties({ parties }: SettlementContract): Refusal | undefined {
  return parties.buyer.id === parties.seller.id ? refuse('same_party', '/parties/seller/id') : undefined;
}

/** Section 4: the amounts of the lines, their total, the legs and the delivered quantities fit together. */
function checkArithmetic(terms: Terms): Refusal | undefined {
  const digits = minorDigits(terms.currency) ?? 0;
  const mismatch =
    findTooFine(terms, digits) ?? findWrongLine(terms, digits) ?? findWrongSum(terms) ?? findWrongDelivery(terms);
  return mismatch === undefined ? undefined : refuse('arithmetic_mismatch', `/terms${mismatch}`);
}

/** Finds an amount with more digits, as written, than the currency has. */
function findTooFine({ lines, charges = [], total, payment }: Terms, digits: number): string | undefined {
  const isTooFine = ({ amount }: { amount: DecimalText }): boolean => fractionDigits(amount) > digits;
  return (
    pointTo('/lines', lines.findIndex(isTooFine), 'amount') ??
    pointTo('/charges', charges.findIndex(isTooFine), 'amount') ??
    (isTooFine({ amount: total }) ? '/total' : undefined) ??
    pointTo('/payment/schedule', payment.schedule.findIndex(isTooFine), 'amount')
  );
}

function findWrongLine({ lines }: Terms, digits: number): string | undefined {
  const isWrong = (line: Terms['lines'][number]): boolean => {
    const amount = lineAmount(line, digits);
    return amount === undefined || compareDecimals(line.amount, amount) !== 0;
  };
  return pointTo('/lines', lines.findIndex(isWrong), 'amount');
}

function findWrongSum({ lines, charges = [], total, payment }: Terms): string | undefined {
  const priced = sumDecimals([...lines, ...charges].map(({ amount }) => amount));
  if (compareDecimals(total, priced) !== 0) return '/total';
  const paid = sumDecimals(payment.schedule.map(({ amount }) => amount));
  return compareDecimals(total, paid) === 0 ? undefined : '/payment/schedule';
}

/** Finds an item that names no line, or a line whose delivered quantities are not what was ordered. */
function findWrongDelivery({ lines, delivery }: Terms): string | undefined {
  const delivered = new Map<string, DecimalText[]>(lines.map(({ id }) => [id, []]));
  for (const [index, { items }] of delivery.schedule.entries()) {
    for (const [itemIndex, { line, quantity }] of items.entries()) {
      const quantities = delivered.get(line);
      if (quantities === undefined) return `/delivery/schedule/${index}/items/${itemIndex}/line`;
      quantities.push(quantity);
    }
  }
  const isWrong = ({ id, quantity }: Terms['lines'][number]): boolean =>
    compareDecimals(sumDecimals(delivered.get(id) ?? []), quantity) !== 0;
  return pointTo('/lines', lines.findIndex(isWrong), 'quantity');
}

function pointTo(list: string, index: number, member: string): string | undefined {
  return index === -1 ? undefined : `${list}/${index}/${member}`;
}

function checkRounds({ negotiation }: SettlementContract): Refusal | undefined {
  return negotiation.rounds > MAX_ROUNDS ? refuse('rounds_exceeded', '/negotiation/rounds') : undefined;
}

function checkAudience(
  { audience, parties }: SettlementContract,
  { handlerId, servedParties }: RuleContext,
): Refusal | undefined {
  if (audience !== undefined && audience !== handlerId) return refuse('audience_mismatch', '/audience');
  if (servedParties === null) return undefined;
  const isServed = [parties.buyer.id, parties.seller.id].some((id) => servedParties.includes(id));
  return isServed ? undefined : refuse('audience_mismatch', '/parties');
}

function checkAgreement({ agreedAt }: SettlementContract, { arrival }: RuleContext): Refusal | undefined {
  const isTooFarAhead = compareInstants(agreedAt, arrival, MAX_SECONDS_AHEAD) > 0;
  return isTooFarAhead ? refuse('agreed_in_future', '/agreedAt') : undefined;
}
