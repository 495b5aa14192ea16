import { instantOfMicros, RetryableError, type Micros } from '@v402/domain';
import type { EmbeddedOrderSystem } from '@v402/order-systems';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice, SERVER_TIMEOUT_MS, TIMING } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import {
  answer,
  draftOf,
  expectLeftToPerson,
  expectMismatch,
  orderBook,
  UNKNOWN,
  type LiveHooks,
} from '../support/placing.js';
import { RecordedAlarms } from '../support/seams.js';

/** Real: PostgreSQL, intake, the embedded order book. Scripted: order systems of which nobody knows what they did. */
let office: BackOffice;
let hooks: LiveHooks;
let embedded: EmbeddedOrderSystem;
let scripted: ScriptedOrderSystem;

beforeAll(async () => {
  office = await BackOffice.open();
  embedded = orderBook(office, () => hooks);
});

beforeEach(async () => {
  hooks = {};
  scripted = new ScriptedOrderSystem();
  await office.dropWork();
});

afterAll(async () => {
  await embedded.close();
  await office.close();
});

/** An adapter that ignores its signal. */
const never = new Promise<never>(() => undefined);
/** What never answers is waited for all of it. No time passes before a call, so that it begins on a machine of any speed. */
const IMPATIENT = { timing: { callTimeoutMs: 200 }, clock: { nowMs: () => 0 } };
/** From an intent to the first look-up. */
const WAIT = BigInt(TIMING.callTimeoutMs + SERVER_TIMEOUT_MS + TIMING.lookUpMarginMs) * 1_000n;

describe('unknown', () => {
  test('behavior: announced once, not looked up before the call can no longer take effect, then found', async () => {
    const accepted = await office.forSeller();
    let intended: Micros | null = null;
    hooks.afterCommit = async () => {
      delete hooks.afterCommit;
      intended = (await office.placement(accepted)).lookUpNotBefore;
      throw new Error('the answer is lost');
    };
    const handler = office.orders(embedded);
    const before = await office.now();
    await handler.handle();
    const { lookUpNotBefore, ...lost } = await office.placement(accepted);
    expect(lost).toMatchObject({ state: 'unknown', code: 'commit_unconfirmed', unknowns: 1, attempt: 1 });
    expect(lookUpNotBefore).toBe(intended);
    expect(lookUpNotBefore!).toBeGreaterThanOrEqual(before + WAIT);
    expect((await office.work(accepted, 'order'))[0]).toMatchObject({ dueAt: lookUpNotBefore, leaseUntil: null });
    const [event] = await office.events(accepted, 'order.outcome_unknown');
    expect(event?.data).toMatchObject({
      side: 'seller',
      code: 'commit_unconfirmed',
      lookUpNotBefore: instantOfMicros(lookUpNotBefore!),
    });
    expect(await office.settlementState(accepted)).toBe('order_unknown');

    expect(await handler.handle()).toBe(0);
    await office.makeDue();
    expect(await handler.handle()).toBe(1);
    const orders = await office.booked(accepted);
    expect(orders).toHaveLength(1);
    expect(await office.placement(accepted)).toMatchObject({ state: 'created', orderNumber: orders[0]?.orderNumber });
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
    expect(await office.settlementState(accepted)).toBe('ordered');
  });

  test('behavior: nothing there, on a system that refuses a second one: created again, exactly one order', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = answer(UNKNOWN);
    const handler = office.orders(scripted);
    await handler.handle();
    scripted.script = {};
    await office.makeDue();
    await handler.handle(); // looks up
    expect(await office.placement(accepted)).toMatchObject({
      state: 'waiting',
      code: 'not_found',
      lookUpNotBefore: null,
    });
    expect(scripted.orders).toHaveLength(0);
    await handler.handle(); // creates
    expect(scripted).toMatchObject({ creates: [1, 2], lookUps: 1 });
    expect(scripted.orders).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
  });

  test('behavior: unknown twice is announced twice, by two ids', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = answer(UNKNOWN);
    const handler = office.orders(scripted);
    await handler.handle();
    await office.makeDue();
    await handler.handle();
    await handler.handle();
    const events = await office.events(accepted, 'order.outcome_unknown');
    expect(events).toHaveLength(2);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', unknowns: 2, attempt: 2 });
  });

  test('behavior: nothing there, on a system that refuses nothing: a person decides, no second create', async () => {
    scripted = new ScriptedOrderSystem({ uniqueRef: 'none' });
    const accepted = await office.forSeller();
    scripted.script.create = answer(UNKNOWN);
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    scripted.script = {};
    await office.makeDue();
    await handler.handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unresolved', code: 'not_found_and_not_unique' });
    await office.makeDue();
    expect(await handler.handle()).toBe(0);
    expect(scripted.creates).toEqual([1]);
    const code = 'not_found_and_not_unique';
    await expectLeftToPerson(office, accepted, { state: 'unresolved', reason: 'order_unresolved', code }, alarms);
  });

  test('error: two orders with our reference', async () => {
    scripted = new ScriptedOrderSystem({ uniqueRef: 'none' });
    const accepted = await office.forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft);
      scripted.put(draft);
      return Promise.resolve(UNKNOWN);
    };
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    await office.makeDue();
    await handler.handle();
    await expectMismatch(office, accepted, 'reference_used_twice', alarms);
  });

  test('error: the look-up finds an order that differs', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft, { total: '1.00' });
      return Promise.resolve(UNKNOWN);
    };
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    await office.makeDue();
    await handler.handle();
    await expectMismatch(office, accepted, 'order_differs', alarms);
  });

  test('behavior: a look-up that cannot be made is postponed for as long as it takes', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft);
      return Promise.resolve(UNKNOWN);
    };
    scripted.script.findByReference = () => Promise.reject(new RetryableError('away', 'The order system is away.'));
    const handler = office.orders(scripted);
    await handler.handle();
    for (let round = 0; round < TIMING.maxLookUps + 2; round += 1) {
      await office.makeDue();
      expect(await handler.handle()).toBe(1);
      expect(await handler.handle()).toBe(0);
      expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', unknowns: 1 });
    }
    scripted.script = {};
    await office.makeDue();
    await handler.handle();
    expect(scripted.creates).toEqual([1]);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
  });

  describe.each([
    ['for no known reason', () => Promise.reject(new TypeError('a mistake in the adapter')), 'look_up_failed'],
    ['as if it were away', () => Promise.reject(new RetryableError('away', 'The order system is away.')), 'away'],
  ] as const)('error: look-ups of one order that keep failing %s', (_, findByReference, code) => {
    /** @returns the order that is looked up, after as many look-ups as there may be */
    const lookedUp = async (alarms: RecordedAlarms, between: () => Promise<unknown>): Promise<AgreedTrade> => {
      const accepted = await office.forSeller();
      scripted.script.create = answer(UNKNOWN);
      const handler = office.orders(scripted, { alarms });
      await handler.handle();
      scripted.script = { findByReference };
      for (let round = 0; round < TIMING.maxLookUps; round += 1) {
        expect(await office.placement(accepted)).toMatchObject({ state: 'unknown' });
        await between();
        await handler.handle();
        await office.makeDue();
        expect(await handler.handle()).toBe(1);
      }
      expect(scripted.lookUps).toBe(TIMING.maxLookUps);
      return accepted;
    };

    test('go to a person, where the order system answers others', async () => {
      const alarms = new RecordedAlarms();
      const accepted = await lookedUp(alarms, () => office.forSeller());
      const ofCase = alarms.raised.filter((alarm) => alarm.code !== 'order_system_unavailable');
      alarms.raised.splice(0, Infinity, ...ofCase);
      await expectLeftToPerson(office, accepted, { state: 'unresolved', reason: 'order_unresolved', code }, alarms);
    });

    test('go on, where it answers nobody', async () => {
      const accepted = await lookedUp(new RecordedAlarms(), () => Promise.resolve());
      expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code });
      expect(await office.holds(accepted)).toEqual([]);
    });
  });

  test('error: an order that is found and never shown goes to a person; the order system is not blamed', async () => {
    const accepted = await office.forSeller();
    scripted.put(draftOf(accepted));
    scripted.script.readBack = () => Promise.resolve(undefined);
    const alarms = new RecordedAlarms();
    const circuit = { failures: 1, open: { firstMs: 60_000, maxMs: 60_000 } };
    const handler = office.orders(scripted, { alarms, timing: { circuit } });
    for (let round = 0; round <= TIMING.maxLookUps; round += 1) {
      expect(await handler.handle()).toBe(1);
      await office.makeDue();
    }
    expect(handler.circuit).toBe('closed');
    const code = 'order_not_readable';
    await expectLeftToPerson(office, accepted, { state: 'unresolved', reason: 'order_unresolved', code }, alarms);
  });

  test('error: an adapter that throws may have written', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft);
      return Promise.reject(new TypeError('a mistake in the adapter'));
    };
    await office.orders(scripted).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code: 'adapter_failed' });
    await office.makeDue();
    await office.orders(scripted).handle();
    expect(scripted.creates).toEqual([1]);
    expect(await office.placement(accepted)).toMatchObject({ state: 'created' });
  });

  test('error: an adapter that throws before its promise is there may have written, too', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = () => {
      throw new TypeError('a mistake in the adapter');
    };
    await office.orders(scripted).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code: 'adapter_failed' });
  });

  test('behavior: an adapter that ignores its signal is not waited for beyond the deadline', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = () => never;
    await office.orders(scripted, IMPATIENT).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code: 'deadline_exceeded' });
  });
});

describe('an adapter that never answers a question does not stop the role', () => {
  test('preflight: nothing is sent, and it is tried again', async () => {
    const accepted = await office.forSeller();
    scripted.script.preflight = () => never;
    await office.orders(scripted, IMPATIENT).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(scripted.creates).toEqual([]);
  });

  test.each(['findByReference', 'readBack'] as const)('%s: the look-up is postponed', async (question) => {
    const accepted = await office.forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft);
      return Promise.resolve(UNKNOWN);
    };
    scripted.script[question] = () => never;
    const handler = office.orders(scripted, IMPATIENT);
    await handler.handle();
    await office.makeDue();
    const before = await office.now();
    await handler.handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', unknowns: 1 });
    const pause = BigInt(TIMING.backoff.firstMs / 2) * 1_000n;
    expect((await office.work(accepted, 'order'))[0]!.dueAt).toBeGreaterThanOrEqual(before + pause);
  });

  test('readBack of an order that exists already: unknown', async () => {
    const accepted = await office.forSeller();
    scripted.put(draftOf(accepted));
    scripted.script.readBack = () => never;
    await office.orders(scripted, IMPATIENT).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code: 'order_not_readable' });
  });
});
