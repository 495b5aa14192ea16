import { makeStories } from '../stories/make-stories.js';
import type { GoodContract, Story } from '../stories/story.js';
import { Appearance, NOW, sha256 } from './appearance.builder.js';
import { judge } from './judge.js';
import { checksOf, sends, stories, storyOf } from './told-stories.js';
import type { Check } from './violation.js';

const agreed = storyOf('agreed');
const rivals = storyOf('rivals');
const refused = storyOf('refused');
const amended = storyOf('amended');
const tampered = storyOf('tampered');

/** Looks right for one agreed contract, unless it is changed. */
const settled = (change: (appearance: Appearance) => void = () => undefined): readonly Check[] => {
  const appearance = new Appearance();
  appearance.settle(agreed.contract);
  change(appearance);
  return checksOf(agreed, appearance);
};

test('default: a contract that was settled as agreed is nothing to complain about', () => {
  expect(settled()).toEqual([]);
});

test('default: of two rivals one is settled in part, and the other in quarantine', () => {
  const appearance = new Appearance();
  appearance.accept(rivals.rivals[1]);
  appearance.quarantine(rivals.rivals[0], rivals.rivals[1]);
  expect(checksOf(rivals, appearance)).toEqual([]);
});

test.each<[what: string, check: Check, change: (appearance: Appearance) => void]>([
  ['a contract is lost', 'settlement', ({ seen }) => seen.settlements.splice(0)],
  ['a contract is settled twice', 'settlement', ({ seen }) => seen.settlements.push(...seen.settlements)],
  ['an order is missing', 'order', ({ seen }) => seen.orders.pop()],
  ['an order stands twice', 'order', ({ seen }) => seen.orders.push(...seen.orders)],
  [
    'an order has another total',
    'order',
    ({ seen }) => seen.orders.splice(0, 1, { ...seen.orders[0]!, total: '0.01' }),
  ],
  [
    'nobody agreed an order',
    'order',
    ({ seen }) => seen.orders.push({ ...seen.orders[0]!, contractId: 'f'.repeat(64) }),
  ],
  ['the legs do not sum up', 'payment', ({ seen }) => seen.legs.splice(0, 1, { ...seen.legs[0]!, sum: '0.01' })],
  ['an event is not published', 'event_record', ({ seen }) => seen.storedEvents.set('lost', 'x')],
  ['an event was never recorded', 'event_record', ({ seen }) => seen.storedEvents.delete('event-0')],
  [
    'an event is published out of order',
    'event_order',
    ({ events }) => events.splice(0, 0, ...events.splice(1).reverse()),
  ],
  [
    'an event has two contents',
    'event_identity',
    ({ events }) => events.push({ ...events[0]!, digest: sha256('other') }),
  ],
  [
    'one fact has two events',
    'event_identity',
    (appearance) => appearance.publish(agreed.contract.contractId, 'org.v402.settlement.accepted.v1'),
  ],
  [
    'something is asked for while a hold is open',
    'hold',
    (appearance) => {
      appearance.publish(agreed.contract.contractId, 'org.v402.hold.placed.v1', { holdId: 'h' });
      appearance.publish(agreed.contract.contractId, 'org.v402.delivery.requested.v1', { deliveryId: 'more' });
    },
  ],
  [
    'an order is asked for long after a hold',
    'hold',
    (appearance) => {
      const { time } = appearance.publish(agreed.contract.contractId, 'org.v402.hold.placed.v1', { holdId: 'h' });
      const [order] = appearance.seen.orders;
      const askedAt = new Date(Date.parse(time) + 5_000).toISOString();
      appearance.seen.orders.splice(0, 1, { ...order!, askedAt });
    },
  ],
  [
    'an order stands under another reference',
    'order',
    ({ seen }) => seen.orders.splice(0, 1, { ...seen.orders[0]!, reference: 'other' }),
  ],
  [
    'a settlement has another total',
    'settlement',
    ({ seen }) => seen.settlements.splice(0, 1, { ...seen.settlements[0]!, total: '0.01' }),
  ],
  [
    'another amount is to be paid than is stated',
    'payment',
    ({ events }) => {
      const at = events.findIndex(({ data }) => data.amount !== undefined);
      const { data } = events[at]!;
      events[at] = { ...events[at]!, data: { ...data, instructedAmount: { ...data.amount!, amount: '0.01' } } };
    },
  ],
  [
    'two requests have one key',
    'event_identity',
    (appearance) => {
      const { contractId } = agreed.contract;
      for (const deliveryId of ['d1', 'd2']) {
        appearance.publish(contractId, 'org.v402.delivery.requested.v1', { deliveryId, idempotencyKey: 'k' });
      }
    },
  ],
  [
    'a good contract was refused before it was accepted',
    'refusal',
    ({ seen }) => seen.rejections.push({ rawDigest: sha256(agreed.contract.value), code: 'expired', occurrences: 1 }),
  ],
  ['a side has no legs', 'payment', ({ seen }) => seen.legs.splice(0, 1)],
  [
    'the time of an event goes backwards',
    'event_order',
    ({ events }) => events.splice(1, 1, { ...events[1]!, time: '2026-11-22T11:59:59.000000Z' }),
  ],
  ['something is stuck', 'stuck', ({ seen }) => seen.stuck.push('an order')],
  [
    'a good contract is held',
    'stuck',
    ({ seen }) =>
      seen.holds.push({
        id: 'h',
        negotiationId: agreed.contract.contract.negotiationId,
        contractId: agreed.contract.contractId,
        reason: 'equivocation',
        isOpen: true,
        resolution: null,
      }),
  ],
  [
    'an order is in quarantine',
    'quarantine',
    ({ seen }) =>
      seen.quarantine.push({
        id: 'case',
        reason: 'order_mismatch',
        contractId: null,
        conflictsWith: null,
        rawDigest: null,
        holdId: null,
        resolution: null,
        occurrences: 1,
      }),
  ],
])('error: %s', (_, check, change) => {
  expect(settled(change)).toContain(check);
});

test('error: the conflict is ordered, too', () => {
  const appearance = new Appearance();
  appearance.accept(rivals.rivals[0]);
  appearance.quarantine(rivals.rivals[1], rivals.rivals[0]);
  appearance.order(rivals.rivals[1], 'seller');
  expect(checksOf(rivals, appearance)).toContain('order');
});

test('error: the conflict is carried out, too', () => {
  const appearance = new Appearance();
  appearance.accept(rivals.rivals[0]);
  appearance.quarantine(rivals.rivals[1], rivals.rivals[0]);
  appearance.publish(rivals.rivals[1].contractId, 'org.v402.delivery.requested.v1', { deliveryId: 'd1' });
  expect(checksOf(rivals, appearance)).toContain('payment');
});

test('an amendment waits for a person because its base had begun, and for nothing else', () => {
  const { chain } = amended;
  const [base] = chain;
  const held = (begun: boolean): readonly Check[] => {
    const appearance = new Appearance();
    for (const good of chain) appearance.accept(good, good === chain.at(-1));
    appearance.hold(chain.at(-1)!, 'amendment_after_start');
    if (begun) appearance.seen.attempted.add(base.contractId);
    return judge({ stories: [amended], copies: 1, now: NOW }, appearance.seen).map(({ check }) => check);
  };
  expect(held(true)).toEqual([]);
  expect(held(false)).toEqual(['stuck']);
});

test('error: of three deliveries one was lost', () => {
  const { rawDigest, code } = refused;
  const checks = (duplicates: number, occurrences: number): readonly Check[] => {
    const appearance = new Appearance();
    appearance.settle(agreed.contract);
    appearance.change(agreed.contract, { duplicates });
    appearance.seen.rejections.push({ rawDigest, code, occurrences });
    appearance.seen.keptBytes.add(rawDigest);
    appearance.publish(rawDigest, 'org.v402.contract.rejected.v1', { rawDigest, code });
    const found = judge({ stories: [agreed, refused], copies: 3, now: NOW }, appearance.seen);
    return found.map(({ check }) => check);
  };
  expect(checks(2, 3)).toEqual([]);
  expect(checks(5, 4)).toEqual([]);
  expect(checks(1, 3)).toEqual(['decision']);
  expect(checks(2, 2)).toEqual(['decision']);
});

test('error: a spoiled copy is refused twice, or not counted at all', () => {
  const { contract, copy, code } = tampered;
  const rawDigest = sha256(copy);
  const checks = (duplicates: number, refusals: readonly string[]): readonly Check[] => {
    const appearance = new Appearance();
    appearance.settle(contract);
    appearance.change(contract, { duplicates });
    for (const each of refusals) {
      appearance.seen.rejections.push({ rawDigest, code: each, occurrences: 1 });
      appearance.seen.keptBytes.add(rawDigest);
      appearance.publish(rawDigest, 'org.v402.contract.rejected.v1', { rawDigest, code: each });
    }
    return judge({ stories: [tampered], copies: 1, now: NOW }, appearance.seen).map(({ check }) => check);
  };
  expect(checks(1, [])).toEqual([]);
  expect(checks(0, [code])).toEqual([]);
  expect(checks(0, [])).toEqual(['decision']);
  expect(checks(0, [code, 'expired'])).toContain('refusal');
});

test('error: a refusal with another code, or without its bytes', () => {
  const { rawDigest, code } = refused;
  const appearance = new Appearance();
  appearance.seen.rejections.push({ rawDigest, code, occurrences: 1 });
  appearance.seen.keptBytes.add(rawDigest);
  appearance.publish(rawDigest, 'org.v402.contract.rejected.v1', { rawDigest, code });
  expect(judge({ stories: [refused], copies: 1, now: NOW }, appearance.seen)).toEqual([]);
  appearance.seen.rejections.push({ rawDigest, code: 'expired_otherwise', occurrences: 1 });
  appearance.seen.keptBytes.clear();
  expect(judge({ stories: [refused], copies: 1, now: NOW }, appearance.seen).map(({ check }) => check)).toEqual([
    'refusal',
    'refusal',
    'refusal',
  ]);
});

test('behavior: the same seed tells the same stories, and every kind of them', () => {
  const ids = (list: readonly Story[]): string[] => list.map((story) => JSON.stringify(story.kind));
  expect(ids(makeStories({ seed: 7, contracts: 300, now: NOW }).stories)).toEqual(ids(stories));
  expect(new Set(stories.map(({ kind }) => kind)).size).toBe(7);
});

test('behavior: every message is sent three times, and an amendment once after its base under one key', () => {
  const { chain } = storyOf('amended');
  const placesOf = ({ contract, value }: GoodContract): number[] =>
    sends.flatMap((send, place) =>
      send.key === contract.negotiationId && Buffer.compare(send.value ?? Buffer.alloc(0), value) === 0 ? [place] : [],
    );
  const [base, amendment] = [placesOf(chain[0]), placesOf(chain[1]!)];
  expect([base.length, amendment.length]).toEqual([1, 1]);
  expect(amendment[0]).toBeGreaterThan(base[0]!);
  expect(sends.length).toBeGreaterThanOrEqual(900);
});
