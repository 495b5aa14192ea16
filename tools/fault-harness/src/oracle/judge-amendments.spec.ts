import type { GoodContract, Story } from '../stories/story.js';
import { Appearance } from './appearance.builder.js';
import { checksOf, HOLD, storyOf } from './told-stories.js';
import type { Check } from './violation.js';

/** What operators decided of amendments that came after the start of what they amend. */
const amended = storyOf('amended');
const forked = storyOf('forked');
const [base, amendment] = [amended.chain[0], amended.chain[1]!];
const [one, other] = forked.amendments;

/** Only the first amendment of a chain counts as sent here. */
const short: Story = { kind: 'amended', chain: [base, amendment] };

/** An amendment came after the start of its base, and was voided. */
function voided(goOn: (appearance: Appearance) => void): Appearance {
  const appearance = new Appearance();
  appearance.accept(base);
  appearance.seen.attempted.add(base.contractId);
  appearance.accept(amendment);
  appearance.hold(amendment, 'amendment_after_start');
  appearance.supersede(amendment);
  appearance.decide(HOLD, 'reject');
  goOn(appearance);
  return appearance;
}

test('default: an amendment was voided, and its base goes on', () => {
  expect(
    checksOf(
      short,
      voided((appearance) => {
        appearance.goOn(base);
      }),
    ),
  ).toEqual([]);
});

test('default: after one amendment was voided, another one of the same base may count', () => {
  const appearance = new Appearance();
  appearance.accept(forked.base, false);
  appearance.seen.attempted.add(forked.base.contractId);
  appearance.accept(one);
  appearance.hold(one, 'amendment_after_start');
  appearance.supersede(one);
  appearance.decide(HOLD, 'reject');
  appearance.accept(other);
  appearance.hold(other, 'amendment_after_start');
  expect(checksOf(forked, appearance)).toEqual([]);
});

test.each<[what: string, check: Check, goOn: (appearance: Appearance) => void]>([
  ['its base does not go on', 'order', () => undefined],
  [
    'it is asked for',
    'settlement',
    (appearance) => {
      appearance.goOn(amendment);
    },
  ],
  [
    'it counts',
    'settlement',
    (appearance) => {
      appearance.goOn(base);
      appearance.seen.settlements[1] = { ...appearance.seen.settlements[1]!, current: true };
    },
  ],
])('error: an amendment was voided, and %s', (_, check, goOn) => {
  expect(checksOf(short, voided(goOn))).toContain(check);
});

test('error: an amendment conflicts with its base, and none was voided before', () => {
  const appearance = new Appearance();
  appearance.accept(base);
  appearance.quarantine(amendment, base);
  expect(checksOf(short, appearance)).toContain('quarantine');
});

test('error: of two amendments both count', () => {
  const appearance = new Appearance();
  appearance.accept(forked.base, false);
  appearance.accept(one, false);
  appearance.accept(other);
  appearance.hold(other, 'amendment_after_start');
  expect(checksOf(forked, appearance)).toContain('quarantine');
});

/** A hold on one contract of a deal stops the others, too. */
test('error: the base of an amendment is asked for while the amendment waits', () => {
  const appearance = new Appearance();
  const ask = (good: GoodContract): void => {
    appearance.publish(good.contractId, 'org.v402.delivery.requested.v1', { deliveryId: 'late' });
  };
  appearance.accept(base, false);
  appearance.seen.attempted.add(base.contractId);
  appearance.accept(amendment);
  appearance.hold(amendment, 'amendment_after_start');
  expect(checksOf(short, appearance)).toEqual([]);
  ask(base);
  expect(checksOf(short, appearance)).toContain('hold');
});

/** An amendment came after its base was settled, and takes over what was asked for. */
function takenOver(change: (appearance: Appearance) => void = () => undefined): Appearance {
  const appearance = new Appearance();
  appearance.settle(base);
  appearance.change(base, { current: false });
  appearance.accept(amendment);
  appearance.hold(amendment, 'amendment_after_start');
  for (const { data } of appearance.events.filter(({ type }) => type.includes('order.created'))) {
    appearance.publish(amendment.contractId, 'org.v402.order.changed.v1', data);
  }
  appearance.decide(HOLD, 'release');
  change(appearance);
  return appearance;
}

test('default: an amendment was released, and what its base had asked for counts', () => {
  expect(checksOf(short, takenOver())).toEqual([]);
});

const askAgain = (appearance: Appearance): void => {
  const { type, data } = appearance.events.find((event) => event.type.includes('.requested.'))!;
  // Without its amount, which is not the amendment's: that would be noticed by itself.
  const about = Object.entries(data).filter(([name]) => name !== 'amount');
  appearance.publish(amendment.contractId, type, Object.fromEntries(about));
};

test.each<[what: string, check: Check, change: (appearance: Appearance) => void]>([
  ['something is asked for again', 'payment', askAgain],
  [
    'an order is made again',
    'order',
    (appearance) => {
      appearance.order(amendment, appearance.seen.orders[0]!.kind === 'sales_order' ? 'seller' : 'buyer');
    },
  ],
  ['an order is gone', 'order', ({ seen }) => seen.orders.pop()],
  [
    'the order that it took over is not named',
    'order',
    ({ events }) =>
      events.splice(
        events.findIndex(({ type }) => type.includes('order.changed')),
        1,
      ),
  ],
  [
    'something is never asked for',
    'settlement',
    ({ events }) =>
      events.splice(
        events.findIndex(({ type }) => type.includes('.requested.')),
        1,
      ),
  ],
  [
    'more is asked for than it says',
    'payment',
    ({ events }) => {
      const at = events.findIndex(({ data }) => data.amount !== undefined);
      events[at] = {
        ...events[at]!,
        type: 'org.v402.payment.requested.v1',
        data: { ...events[at]!.data, amount: { amount: '99999999', currency: 'EUR' } },
      };
    },
  ],
])('error: an amendment was released, and %s', (_, check, change) => {
  expect(checksOf(short, takenOver(change))).toContain(check);
});

test('error: somebody releases alone what is over the limit', () => {
  const releasedAlone = (total: string): readonly Check[] => {
    const appearance = takenOver();
    appearance.seen.audit.splice(0);
    appearance.write(HOLD, { action: 'release', contractId: amendment.contractId });
    appearance.change(amendment, { total });
    return checksOf(short, appearance);
  };
  expect(releasedAlone('20000')).not.toContain('audit');
  expect(releasedAlone('20000.01')).toContain('audit');
});
