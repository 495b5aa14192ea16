import type { UnitOfWork } from '@v402/application';
import { BackOffice } from '../support/back-office.js';
import { DecoratedUnitOfWork } from '@v402/testing';
import type { AgreedTrade } from '../support/intake-scene.js';
import { RecordedAlarms, StopsAt } from '../support/seams.js';

/** Why whoever writes events of a settlement locks it first. Real: PostgreSQL and intake. */
let office: BackOffice;

beforeEach(async () => {
  office = await BackOffice.open();
});
afterEach(() => office.close());

/** Two legs that are due at once, so that two processes work on one settlement at the same time. */
const TWO_LEGS = {
  payment: [
    { rail: 'card', trigger: 'agreed', percent: '50' },
    { rail: 'card', trigger: 'agreed' },
  ],
} as const;

const withoutLock = (): UnitOfWork =>
  new DecoratedUnitOfWork(office.unitOfWork, { settlements: (real) => ({ lock: (ids) => real.read(ids) }) });

interface Seen {
  readonly sequences: readonly (string | undefined)[];
  readonly alarms: readonly string[];
}

/**
 * Two processes release a leg each. The first stops before it writes; the second goes on until it waits for the first,
 * or has come as far, too.
 */
async function releaseTwoAtOnce(unitOfWork: UnitOfWork, canMeet: boolean): Promise<Seen> {
  const accepted: AgreedTrade = await office.accept(TWO_LEGS, ['seller']);
  const meeting = new StopsAt('C1', canMeet ? 2 : 1);
  const alarms = new RecordedAlarms();
  const release = (owner: string): Promise<number> =>
    office.workflows({ owner, unitOfWork, batchSize: 1, faults: meeting, alarms }).handle();
  const first = release('first');
  if (!canMeet) await meeting.reached;
  const second = release('second');
  await (canMeet ? meeting.reached : office.scene.untilWaiting('intake'));
  meeting.release();
  await Promise.all([first, second]);
  const events = await office.events(accepted, 'payment.');
  return { sequences: events.map(({ sequence }) => sequence).sort(), alarms: alarms.raised.map(({ code }) => code) };
}

const [ONE, TWO, THREE, FOUR] = ['0000000001', '0000000002', '0000000003', '0000000004'];

test('the settlement lock makes the second one wait, and its events follow without a gap', async () => {
  expect(await releaseTwoAtOnce(office.unitOfWork, false)).toEqual({ sequences: [ONE, TWO, THREE, FOUR], alarms: [] });
});

test('guard removed: the settlement lock and its backstop. Two events have the same place in the stream', async () => {
  await office.sql('DROP INDEX v402.event_place');
  expect(await releaseTwoAtOnce(withoutLock(), true)).toEqual({ sequences: [ONE, ONE, TWO, TWO], alarms: [] });
});

test('guard removed: the settlement lock alone. The backstop stops the second, whose payment waits', async () => {
  expect(await releaseTwoAtOnce(withoutLock(), true)).toEqual({ sequences: [ONE, TWO], alarms: ['release_failed'] });
});
