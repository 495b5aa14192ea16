import { makeStories } from '../stories/make-stories.js';
import type { GoodContract, Story } from '../stories/story.js';
import { Appearance, NOW } from './appearance.builder.js';
import { judge } from './judge.js';
import type { Check } from './violation.js';

const { stories } = makeStories({ seed: 7, contracts: 300, now: NOW });

const storyOf = <Kind extends Story['kind']>(kind: Kind): Extract<Story, { kind: Kind }> => {
  const story = stories.find((each): each is Extract<Story, { kind: Kind }> => each.kind === kind);
  if (story === undefined) throw new RangeError(`No ${kind} among the stories.`);
  return story;
};

const rivals = storyOf('rivals');
const amended = storyOf('amended');
const forked = storyOf('forked');
const [first, second] = rivals.rivals;
const [base, amendment] = [amended.chain[0], amended.chain[1]!];
const [one, other] = forked.amendments;

const checksOf = (story: Story, { seen }: Appearance): readonly Check[] => [
  ...new Set(judge({ stories: [story], copies: 1, now: NOW }, seen).map(({ check }) => check)),
];

const CASE = 'case-0';
const HOLD = 'hold-0';

/** The second contract of a negotiation was rejected, and the first one settled; unless it is changed. */
function rejected(change: (appearance: Appearance) => void = () => undefined): Appearance {
  const appearance = new Appearance();
  appearance.accept(first);
  appearance.quarantine(second, first);
  appearance.decide(CASE, 'reject');
  appearance.goOn(first);
  change(appearance);
  return appearance;
}

/** Instead of one person alone, two have decided. */
function approved(appearance: Appearance, action: string): void {
  appearance.seen.audit.splice(0);
  appearance.write(CASE, { action: 'request_release', details: { asked: action } });
  appearance.write(CASE, {
    action: 'approve_release',
    actor: 'operator-2',
    details: { approved: action, requestedBy: 'operator-1' },
  });
}

/** The second contract was put in the place of the first one. */
function released(
  goOn: (appearance: Appearance) => void = (appearance) => {
    appearance.goOn(second);
  },
): Appearance {
  const appearance = new Appearance();
  appearance.accept(first);
  appearance.quarantine(second, first);
  appearance.supersede(first);
  appearance.accept(second);
  appearance.decide(CASE, 'release');
  goOn(appearance);
  return appearance;
}

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

/** Only the first amendment of a chain counts as sent here. */
const short: Story = { kind: 'amended', chain: [base, amendment] };

describe('what operators decided', () => {
  test('default: the second contract was rejected, and the first one is settled', () => {
    expect(checksOf(rivals, rejected())).toEqual([]);
  });

  test('default: the second contract was released in the place of the first one, and is settled', () => {
    expect(checksOf(rivals, released())).toEqual([]);
  });

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
});

test.each<[what: string, check: Check, change: (appearance: Appearance) => void]>([
  [
    'it was accepted all the same',
    'quarantine',
    (appearance) => {
      appearance.accept(second, false);
    },
  ],
  [
    'it was ordered all the same',
    'order',
    (appearance) => {
      appearance.order(second, 'seller');
    },
  ],
  ['the first one is not settled', 'order', ({ seen }) => seen.orders.pop()],
  ['the first one is lost', 'settlement', ({ seen }) => seen.settlements.splice(0)],
  [
    'it is in quarantine twice',
    'quarantine',
    ({ seen }) => seen.quarantine.push({ ...seen.quarantine[0]!, id: 'more' }),
  ],
  ['its hold stands', 'hold', ({ seen }) => seen.holds.splice(0, 1, { ...seen.holds[0]!, isOpen: true })],
  ['its hold was none', 'hold', ({ seen }) => seen.holds.splice(0)],
  [
    'the end of its hold was announced twice',
    'hold',
    (appearance) => appearance.publish(first.contractId, 'org.v402.hold.released.v1', { holdId: HOLD }),
  ],
  [
    'its hold was never announced',
    'hold',
    ({ events }) =>
      events.splice(
        events.findIndex(({ type }) => type.includes('hold.placed')),
        1,
      ),
  ],
  [
    'something was asked for before its hold ended',
    'hold',
    ({ events }) => {
      const at = events.findIndex(({ type }) => type.includes('hold.placed'));
      const asked = events.findIndex(({ type }) => type.includes('.requested.'));
      events[asked] = { ...events[asked]!, time: `${events[at]!.time}+` };
    },
  ],
  ['nobody wrote it down', 'audit', ({ seen }) => seen.audit.pop()],
  [
    'it was written down twice',
    'audit',
    (appearance) => {
      appearance.write(CASE);
    },
  ],
  [
    'something else was written down',
    'audit',
    ({ seen }) => seen.quarantine.splice(0, 1, { ...seen.quarantine[0]!, resolution: 'redrive' }),
  ],
  [
    'it was decided and is open',
    'audit',
    ({ seen }) => seen.quarantine.splice(0, 1, { ...seen.quarantine[0]!, resolution: null }),
  ],
  [
    'something else was approved',
    'audit',
    (appearance) => {
      approved(appearance, 'release');
    },
  ],
  [
    'what is no case was decided',
    'audit',
    (appearance) => {
      appearance.write('nothing');
    },
  ],
  [
    'an entry is missing',
    'audit',
    (appearance) => {
      appearance.write('ask', { action: 'request_release', sequence: '3' });
    },
  ],
  [
    'an entry does not follow the one before',
    'audit',
    (appearance) => {
      appearance.write('ask', { action: 'request_release', previous: 'f'.repeat(64) });
    },
  ],
  [
    'an entry was changed',
    'audit',
    ({ seen }) => seen.audit.splice(0, 1, { ...seen.audit[0]!, actor: 'somebody else' }),
  ],
  [
    'one person approved what they asked for',
    'audit',
    (appearance) => {
      appearance.write('nothing', { action: 'approve_release', details: { requestedBy: 'operator-1' } });
    },
  ],
])('error: rejected, and %s', (_, check, change) => {
  expect(checksOf(rivals, rejected(change))).toContain(check);
});

test('behavior: two persons rejected it together', () => {
  const appearance = rejected((each) => {
    approved(each, 'reject');
  });
  expect(checksOf(rivals, appearance)).toEqual([]);
});

test('behavior: what asks for a second person decides nothing', () => {
  const appearance = rejected((each) => {
    each.write('ask', { action: 'request_release' });
  });
  expect(checksOf(rivals, appearance)).toEqual([]);
});

test.each<[what: string, check: Check, goOn: (appearance: Appearance) => void]>([
  ['nothing comes of it', 'order', () => undefined],
  [
    'the first one is settled',
    'settlement',
    (appearance) => {
      appearance.goOn(first);
    },
  ],
  [
    'both are ordered',
    'order',
    (appearance) => {
      appearance.goOn(second);
      appearance.order(first, 'seller');
    },
  ],
  [
    'the first one is not superseded',
    'settlement',
    (appearance) => {
      appearance.goOn(second);
      appearance.seen.settlements[0] = { ...appearance.seen.settlements[0]!, state: 'ordered' };
    },
  ],
  [
    'it was never accepted',
    'quarantine',
    (appearance) => {
      appearance.seen.settlements.pop();
    },
  ],
])('error: released, and %s', (_, check, goOn) => {
  expect(checksOf(rivals, released(goOn))).toContain(check);
});

test('error: two rivals count, and nobody has released either', () => {
  const appearance = new Appearance();
  appearance.accept(first, false);
  appearance.accept(second);
  expect(checksOf(rivals, appearance)).toContain('quarantine');
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
