import { addDays, compareDecimals, dateOf, SIDES, sumDecimals, toUnixSeconds } from '@v402/domain';
import { endToEndId, idempotencyKey } from '@v402/events';
import type { EvidenceFile } from '../evidence-file.js';
import { ofSettlement, type Books } from './books.js';
import { compareMembers, eventsOf, same, type EvidenceCheck, type Fail } from './evidence-check.js';

export const paymentsCheck: EvidenceCheck = {
  code: 'payments',
  proves:
    'Each side has the agreed legs, their sum is the total, and each leg that was asked for was asked for once, with its amount.',
  run: ofSettlement((books, fail) => {
    const { file, contract } = books;
    const { schedule } = contract.terms.payment;
    file.legs.forEach((leg, index) => {
      checkLeg(books, leg, `/legs/${index}`, fail);
    });
    for (const side of SIDES) {
      if (!file.orders.some((order) => order.side === side)) {
        if (file.legs.some((leg) => leg.side === side)) fail('/legs', `are of a side that is not served: ${side}`);
        continue;
      }
      const legs = file.legs.filter((leg) => leg.side === side);
      const numbers = legs.map(({ number }) => number);
      if (
        !same(
          numbers,
          schedule.map((_, place) => place + 1),
        )
      )
        fail('/legs', `of the ${side} are not the agreed ones`);
      const total = sumDecimals(legs.map(({ amount }) => amount));
      if (compareDecimals(total, contract.terms.total) !== 0)
        fail('/legs', `of the ${side} do not add up to the total`);
    }
    return file.legs.length > 0;
  }),
};

function checkLeg(books: Books, leg: EvidenceFile['legs'][number], where: string, fail: Fail): void {
  const { opened, contract, contractId, shortRef, file } = books;
  const { side, legId, number, attempt, state } = leg;
  const agreed = contract.terms.payment.schedule[number - 1];
  if (agreed === undefined) {
    fail(`${where}/number`, 'is no place of the agreed schedule');
    return;
  }
  const { trigger, days, rail } = agreed;
  const { currency } = contract.terms;
  compareMembers(leg, { legId: agreed.id, trigger, days, rail, currency }, where, 'the contract', fail);
  if (compareDecimals(leg.amount, agreed.amount) !== 0) fail(`${where}/amount`, 'differs from the contract');
  const money = { amount: agreed.amount, currency };
  const scheduled = eventsOf(opened, 'org.v402.payment.scheduled.v1', { side, legId });
  const requests = [
    ...eventsOf(opened, 'org.v402.payment.requested.v1', { side, legId }),
    ...eventsOf(opened, 'org.v402.invoice.requested.v1', { side, legId }),
  ];
  if (state === 'blocked' ? leg.code === null : leg.code !== null && state !== 'superseded') {
    fail(`${where}/code`, 'only what is blocked has a code');
  }
  // What an earlier contract of the deal has asked for was announced on that one's stream.
  if (scheduled.length + requests.length === 0 && hasAdopted(books) && ADOPTED.has(state)) return;
  const isScheduled = leg.dueDate !== null;
  if (scheduled.length !== (isScheduled ? 1 : 0)) fail(`${where}/dueDate`, 'is known where that was announced once');
  if (isScheduled ? state === 'waiting' : state !== 'waiting' && state !== 'superseded') {
    fail(`${where}/state`, 'is scheduled where that was announced once');
  }
  if ((state === 'requested') !== requests.length > 0) fail(`${where}/state`, 'is asked for where that was announced');
  for (const { data } of [...scheduled, ...requests]) {
    if (!same(data['amount'], money) || data['legNumber'] !== number) fail(where, 'was announced otherwise');
  }
  const attempts = requests.map(({ data }) => Number(data['attempt']));
  if (
    !same(
      attempts,
      requests.map((_, index) => index + 1),
    ) ||
    attempt !== attempts.length + (state === 'requested' ? 0 : 1)
  ) {
    fail(`${where}/attempt`, 'each attempt is announced once');
  }
  for (const { data, type } of requests) {
    const work = type === 'org.v402.invoice.requested.v1' ? 'invoice' : 'payment';
    const key = idempotencyKey({ work, side, contractId, id: legId, attempt: Number(data['attempt']) });
    const reference = endToEndId(shortRef, number, Number(data['attempt']));
    const named = data['endToEndId'] ?? data['invoiceReference'];
    if (data['idempotencyKey'] !== key || named !== reference) fail(where, 'was asked for under another key');
    if (work === 'payment' && !same(data['instructedAmount'], money)) fail(where, 'was asked for with another amount');
  }
  const [event] = scheduled;
  if (event === undefined) {
    if (leg.dueDate !== null || leg.triggeredAt !== null) fail(`${where}/dueDate`, 'was never announced');
    return;
  }
  const firedAt = (event.data['trigger'] as { readonly firedAt: string }).firedAt;
  const order = file.orders.find((each) => each.side === side);
  const expected = trigger === 'agreed' ? contract.agreedAt : order?.orderedAt;
  if (expected !== firedAt) fail(where, 'was triggered at another moment');
  // The column keeps whole seconds of an agreement.
  const isSameSecond = leg.triggeredAt !== null && toUnixSeconds(leg.triggeredAt) === toUnixSeconds(firedAt);
  const isExact = trigger === 'agreed' ? leg.triggeredAt?.endsWith('.000000Z') : leg.triggeredAt === firedAt;
  if (!isSameSecond || isExact !== true) fail(`${where}/triggeredAt`, 'differs from payment.scheduled');
  const dueDate = addDays(dateOf(firedAt), days);
  if (leg.dueDate !== dueDate || event.data['dueDate'] !== dueDate)
    fail(`${where}/dueDate`, 'is not the trigger and its days');
}

/** An operator has let this amendment take over what earlier contracts of the deal had begun. */
const hasAdopted = ({ file, contractId }: Books): boolean =>
  file.holds.some(
    (hold) =>
      hold.contractId === contractId && hold.reason === 'amendment_after_start' && hold.resolution === 'release',
  );

/** How a row is that counts as asked for, or that must not be asked for, because of an earlier contract. */
const ADOPTED: ReadonlySet<string> = new Set(['requested', 'blocked', 'superseded']);

export const deliveriesCheck: EvidenceCheck = {
  code: 'deliveries',
  proves: 'Each side has the agreed deliveries, and each one that was asked for was asked for once, with its items.',
  run: ofSettlement((books, fail) => {
    const { file, contract } = books;
    const { schedule } = contract.terms.delivery;
    file.deliveries.forEach((row, index) => {
      checkDelivery(books, row, `/deliveries/${index}`, fail);
    });
    for (const side of SIDES) {
      const isServed = file.orders.some((order) => order.side === side);
      const numbers = file.deliveries.filter((row) => row.side === side).map(({ number }) => number);
      if (!same(numbers, isServed ? schedule.map((_, place) => place + 1) : [])) {
        fail('/deliveries', `of the ${side} are not the agreed ones`);
      }
    }
    return file.deliveries.length > 0;
  }),
};

function checkDelivery(books: Books, row: EvidenceFile['deliveries'][number], where: string, fail: Fail): void {
  const { opened, contract, contractId } = books;
  const { side, deliveryId, number, state, attempt } = row;
  const agreed = contract.terms.delivery.schedule[number - 1];
  if (agreed === undefined) {
    fail(`${where}/number`, 'is no place of the agreed schedule');
    return;
  }
  const { notBefore, notAfter, items } = agreed;
  compareMembers(row, { deliveryId: agreed.id, notBefore, notAfter }, where, 'the contract', fail);
  const requests = eventsOf(opened, 'org.v402.delivery.requested.v1', { side, deliveryId });
  if (state === 'blocked' ? row.code === null : row.code !== null && state !== 'superseded') {
    fail(`${where}/code`, 'only what is blocked has a code');
  }
  if (requests.length === 0 && hasAdopted(books) && ADOPTED.has(state)) return;
  if (state === 'blocked') fail(`${where}/state`, 'only an amendment of what has begun blocks a delivery');
  if ((state === 'requested') !== requests.length > 0) fail(`${where}/state`, 'is asked for where that was announced');
  const attempts = requests.map(({ data }) => Number(data['attempt']));
  if (
    !same(
      attempts,
      requests.map((_, index) => index + 1),
    ) ||
    attempt !== attempts.length + (state === 'requested' ? 0 : 1)
  ) {
    fail(`${where}/attempt`, 'each attempt is announced once');
  }
  for (const { data } of requests) {
    const announced = (data['items'] as readonly { readonly line: string; readonly quantity: string }[]).map(
      ({ line, quantity }) => ({ line, quantity }),
    );
    const key = idempotencyKey({
      work: 'delivery',
      side,
      contractId,
      id: deliveryId,
      attempt: Number(data['attempt']),
    });
    if (data['idempotencyKey'] !== key) fail(where, 'was asked for under another key');
    if (!same(announced, items)) fail(where, 'was asked for with other items');
    if (!same(data['window'], { notBefore, notAfter })) fail(where, 'was asked for in another window');
  }
}
