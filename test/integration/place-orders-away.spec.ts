import { RetryableError } from '@v402/domain';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice, TIMING } from '../support/back-office.js';
import { answer, UNKNOWN } from '../support/placing.js';
import { RecordedAlarms, type RaisedAlarm } from '../support/seams.js';

/** Real: PostgreSQL, intake. Scripted: order systems that are away, and what is said of them. */
let office: BackOffice;
let scripted: ScriptedOrderSystem;

beforeAll(async () => {
  office = await BackOffice.open();
});

beforeEach(async () => {
  scripted = new ScriptedOrderSystem();
  await office.dropWork();
});

afterAll(async () => {
  await office.close();
});

describe('an order system that is away', () => {
  const unavailable = (reason: string): RaisedAlarm => ({
    code: 'order_system_unavailable',
    context: { orderSystem: 'scripted', reason },
  });

  test('is said once per reason, and again when it is away another time; the orders wait with its code', async () => {
    const accepted = await office.accept();
    const alarms = new RecordedAlarms();
    let nowMs = 0;
    const handler = office.orders(scripted, { alarms, clock: { nowMs: () => nowMs } });
    const rounds = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        await office.makeDue();
        expect(await handler.handle()).toBe(2);
      }
    };
    scripted.script.create = answer({ outcome: 'retryable', code: 'unreachable' });
    await rounds();
    expect(alarms.take()).toEqual([unavailable('unreachable')]);
    expect(await office.placements(accepted)).toMatchObject([
      { state: 'waiting', code: 'unreachable' },
      { state: 'waiting', code: 'unreachable' },
    ]);
    scripted.script = { preflight: () => Promise.reject(new RetryableError('away', 'The order system is away.')) };
    await rounds();
    expect(alarms.take()).toEqual([unavailable('away')]);
    expect(await office.placements(accepted)).toMatchObject([{ code: 'away' }, { code: 'away' }]);

    scripted.script = {};
    await office.makeDue();
    await handler.handle();
    expect(await office.placements(accepted)).toMatchObject([
      { state: 'created', code: null },
      { state: 'created', code: null },
    ]);
    expect(alarms.take()).toEqual([]);

    scripted.script.create = answer({ outcome: 'retryable', code: 'unreachable' });
    await office.forSeller();
    nowMs += 2 * (TIMING.backoff.maxMs + TIMING.circuit.open.maxMs) + 1;
    await handler.handle();
    expect(alarms.take()).toEqual([unavailable('unreachable')]);
  });

  test('is said once where one order fails again and again, and others are placed in between', async () => {
    const failing = await office.forSeller();
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    scripted.script.create = (draft) =>
      Promise.resolve(
        draft.contractId === failing.contractId
          ? { outcome: 'retryable', code: 'customer_locked' }
          : { outcome: 'created', order: scripted.put(draft) },
      );
    for (let round = 0; round < 4; round += 1) {
      const healthy = await office.forSeller();
      await office.makeDue();
      expect(await handler.handle()).toBe(2);
      expect(await office.placement(healthy)).toMatchObject({ state: 'created' });
    }
    expect(alarms.take()).toEqual([unavailable('customer_locked')]);
  });

  test('for a look-up: its code is kept, and it is said once', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = answer(UNKNOWN);
    scripted.script.findByReference = () => Promise.reject(new RetryableError('away', 'The order system is away.'));
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code: UNKNOWN.code });
    for (let round = 0; round < 3; round += 1) {
      await office.makeDue();
      await handler.handle();
    }
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code: 'away', unknowns: 1 });
    expect(alarms.take()).toEqual([unavailable('away')]);
  });

  test('is not blamed for what is over: a deadline before the call, an order that it does not have', async () => {
    await office.forSeller();
    const alarms = new RecordedAlarms();
    scripted.script.create = answer(UNKNOWN);
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    scripted.script = {};
    await office.makeDue();
    await handler.handle(); // looks up, and finds nothing
    const readings = [-TIMING.callTimeoutMs];
    const late = { nowMs: () => readings.shift() ?? 0 };
    await office.orders(scripted, { alarms, clock: late }).handle();
    expect(scripted).toMatchObject({ creates: [1], lookUps: 1 });
    expect(alarms.take()).toEqual([]);
  });
});
