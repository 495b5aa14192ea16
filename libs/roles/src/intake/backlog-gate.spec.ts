import type { Alarms, UnitOfWork } from '@v402/application';
import { createLog, type Logger } from '@v402/observability';
import { BacklogGate } from './backlog-gate.js';

const said: string[] = [];

const gateOf = (limit: number): BacklogGate => {
  const alarms: Alarms = {
    raise: (code, _message, context) => void said.push(`${code} ${context['work'] ?? ''}/${context['events'] ?? ''}`),
  };
  const log: Logger = createLog('silent', {});
  log.info = (): void => void said.push('goes on');
  const unitOfWork: UnitOfWork = { run: () => Promise.reject(new Error('not asked')) };
  return new BacklogGate(limit, unitOfWork, alarms, log);
};

beforeEach(() => said.splice(0));

test('default: open, and nobody waits, while little is to be done', () => {
  const gate = gateOf(100);
  gate.seen({ work: 50, events: 50 });
  expect([gate.isOpen(), gate.slowDownMs(), said]).toEqual([true, 0, []]);
});

test('behavior: it slows down from half the limit on, the more the fuller', () => {
  const gate = gateOf(100);
  const slow = [60, 75, 100].map((work) => {
    gate.seen({ work, events: 0 });
    return gate.slowDownMs();
  });
  expect(slow).toEqual([200, 500, 1_000]);
});

test.each([
  ['work', { work: 101, events: 0 }],
  ['events', { work: 0, events: 101 }],
])('behavior: too many %s close it until half of the limit is left; each change is said once', (_, over) => {
  const gate = gateOf(100);
  const steps = [over, over, { work: 51, events: 51 }, { work: 50, events: 50 }, { work: 99, events: 0 }];
  const open = steps.map((step) => {
    gate.seen(step);
    return gate.isOpen();
  });
  expect(open).toEqual([false, false, false, true, true]);
  expect(said).toEqual([`backlog_over_limit ${over.work}/${over.events}`, 'goes on']);
});

test('behavior: what batches make is counted before the next look', () => {
  const gate = gateOf(100);
  gate.seen({ work: 40, events: 40 });
  gate.took({ accepted: 30, rejected: 20 });
  expect(gate.isOpen()).toBe(true);
  gate.took({ accepted: 0, rejected: 11 });
  expect([gate.isOpen(), said]).toEqual([false, ['backlog_over_limit 70/101']]);
});

test('behavior: nobody waits any more once it has ended', async () => {
  const gate = gateOf(100);
  gate.seen({ work: 100, events: 0 });
  gate.end();
  await gate.slowDown();
});
