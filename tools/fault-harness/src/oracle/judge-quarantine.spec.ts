import { Appearance } from './appearance.builder.js';
import { CASE, checksOf, HOLD, storyOf } from './told-stories.js';
import type { Check } from './violation.js';

/** What operators decided of two contracts that were signed for one negotiation. */
const rivals = storyOf('rivals');
const [first, second] = rivals.rivals;

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

test('default: the second contract was rejected, and the first one is settled', () => {
  expect(checksOf(rivals, rejected())).toEqual([]);
});

test('default: the second contract was released in the place of the first one, and is settled', () => {
  expect(checksOf(rivals, released())).toEqual([]);
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
