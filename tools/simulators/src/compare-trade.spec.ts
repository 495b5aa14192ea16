import { compareTrade, readSeenEvent, type SeenEvent, type SeenTrade } from './compare-trade.js';
import { simulateTrade } from './simulate-trade.js';

const messages = simulateTrade({ seed: 9, count: 200, now: '2026-11-22T10:15:30Z' }).waves.flat();

/** What a handler leaves behind that does everything right. */
function flawless(): SeenTrade & { events: SeenEvent[] } {
  const sequences = new Map<string, number>();
  const events = messages
    .flatMap((message) => message.events)
    .map((event, index) => {
      const sequence = (sequences.get(event.subject) ?? 0) + 1;
      sequences.set(event.subject, sequence);
      const isNumbered = !event.type.startsWith('org.v402.contract.');
      return { ...event, topic: 'one', id: String(index), ...(isNumbered && { sequence }) };
    });
  const times = (names: readonly string[]): Map<string, number> =>
    new Map(names.map((name) => [name, names.filter((each) => each === name).length]));
  const outcomes = messages.map(({ outcome }) => outcome);
  return {
    events,
    orders: outcomes.flatMap((each) =>
      each.kind === 'accepted'
        ? each.orders.map((order) => ({ ...order, total: `${order.total}${order.total.includes('.') ? '0' : '.0'}` }))
        : [],
    ),
    duplicates: times(outcomes.flatMap((each) => (each.kind === 'duplicate' ? [each.contractId] : []))),
    rejections: times(outcomes.flatMap((each) => (each.kind === 'rejected' ? [`${each.rawDigest}:${each.code}`] : []))),
    quarantined: times(outcomes.flatMap((each) => (each.kind === 'quarantined' ? [each.contractId] : []))),
  };
}

function without(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...counts].slice(1));
}

const right = flawless();
const [first, ...others] = right.events;
const [order, ...otherOrders] = right.orders;

test('what is as it must be has no difference; totals are compared by value', () => {
  expect(compareTrade(messages, right)).toEqual([]);
});

test.each<[string, Partial<SeenTrade>, RegExp]>([
  ['an event is missing', { events: right.events.slice(0, -1) }, /^events: 0 instead of 1 × org\.v402\./],
  ['an event came twice', { events: [...right.events, first!] }, /^events: 2 instead of 1 × org\.v402\./],
  ['two events have one id', { events: [first!, { ...others[0]!, id: '0' }] }, /^events: the id 0 means "/],
  [
    'an event has another side',
    {
      events: right.events.map((each) =>
        each.type === 'org.v402.order.created.v1' ? { ...each, side: 'buyer' as const } : each,
      ),
    },
    /^events: .*order\.created/,
  ],
  ['a sequence has a gap', { events: [{ ...first!, sequence: 2 }, ...others] }, /^events: sequence 2 instead of 1/],
  ['an order is missing', { orders: otherOrders }, /^orders: 0 instead of 1/],
  ['an order stands twice', { orders: [order!, ...right.orders] }, /^orders: 2 instead of 1/],
  [
    'an order has another total',
    { orders: [{ ...order!, total: '0.01' }, ...otherOrders] },
    /^orders: a total of 0\.01/,
  ],
  ['a duplicate was not counted', { duplicates: without(right.duplicates) }, /^duplicates: 0 instead of 1/],
  ['a refusal is not recorded', { rejections: without(right.rejections) }, /^rejections: 0 instead of [12]/],
  [
    'a refusal has another code',
    { rejections: new Map([['digest:expired', 1], ...without(right.rejections)]) },
    /^rejections: /,
  ],
  [
    'an entry in quarantine is missing',
    { quarantined: without(right.quarantined) },
    /^quarantine entries: 0 instead of/,
  ],
])('it is noticed that %s', (_, change, difference) => {
  const differences = compareTrade(messages, { ...right, ...change });
  expect(differences.some((each) => difference.test(each))).toBe(true);
});

test.each([
  [
    { side: 'buyer', legId: 'p1' },
    { side: 'buyer', about: 'p1' },
  ],
  [
    { side: 'seller', deliveryId: 'd1' },
    { side: 'seller', about: 'd1' },
  ],
  [{ holdId: 'h', reason: 'equivocation' }, { about: 'equivocation' }],
  [{ conflictsWith: 'c', rawDigest: 'd', code: 'negotiation_conflict' }, { about: 'c' }],
  [{ rawDigest: 'd', code: 'expired' }, { about: 'd:expired' }],
])('an event with %j is known by %j', (data, known) => {
  const event = { id: 'i', type: 't', subject: 's', sequence: '0000000007', data };
  const seen = readSeenEvent('topic', Buffer.from(JSON.stringify(event)));
  expect(seen).toEqual({ topic: 'topic', id: 'i', type: 't', subject: 's', sequence: 7, ...known });
});
