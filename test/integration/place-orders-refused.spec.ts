import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice, TIMING } from '../support/back-office.js';
import { answer } from '../support/placing.js';
import { DoesAt, RecordedAlarms } from '../support/seams.js';

/** Real: PostgreSQL, intake. Scripted: order systems that refuse an order, or do not take it now. */
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

describe('refused', () => {
  test('by the order system: the deal is held, and what has not started stays', async () => {
    const accepted = await office.accept({ payment: [{ rail: 'card', trigger: 'agreed' }] }, ['seller']);
    scripted.script.create = answer({ outcome: 'rejected', code: 'credit_limit', message: 'No.' });
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'rejected', code: 'credit_limit', attempt: 1 });
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.rejected.v1']);
    const [rejected] = await office.events(accepted, 'order.rejected');
    expect(rejected?.data).toMatchObject({ side: 'seller', code: 'credit_limit', issues: [], attempt: 1 });
    expect(await office.holds(accepted)).toMatchObject([
      { reason: 'order_rejected', open: true, evidence: { side: 'seller', code: 'credit_limit' } },
    ]);
    expect(await office.eventTypes(accepted, 'hold.')).toEqual(['hold.placed.v1']);
    expect(await office.settlementState(accepted)).toBe('order_rejected');
    expect(await office.work(accepted)).toMatchObject([{ kind: 'payment_leg', subject: 'p1' }]);
    expect(alarms.raised).toMatchObject([{ code: 'order_rejected', context: { side: 'seller' } }]);

    await office.workflows().handle();
    expect(await office.events(accepted, 'payment.')).toEqual([]);
    expect(await handler.handle()).toBe(0);
    expect(scripted.creates).toEqual([1]);
  });

  test('by the preflight: without a call, with every issue', async () => {
    const accepted = await office.accept({ lines: [{ sku: 'A', quantity: '1', unitPrice: '1.005' }] }, ['seller']);
    const issues = [{ code: 'price_scale_exceeded', where: '/terms/lines/0/unitPrice' }];
    scripted.script.preflight = () => Promise.resolve(issues);
    await office.orders(scripted).handle();
    expect(scripted.creates).toEqual([]);
    const [rejected] = await office.events(accepted, 'order.rejected');
    expect(rejected?.data).toMatchObject({ code: 'preflight_failed', issues });
    expect(await office.placement(accepted)).toMatchObject({ state: 'rejected', attempt: 0 });
    expect(await office.holds(accepted)).toMatchObject([{ reason: 'order_rejected' }]);
  });
});

describe('not written', () => {
  test('behavior: retried from the beginning with a backoff, and created once', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = answer({ outcome: 'retryable', code: 'too_many_requests' });
    const handler = office.orders(scripted);
    for (let round = 1; round <= 3; round += 1) {
      const before = await office.now();
      expect(await handler.handle()).toBe(1);
      expect(await handler.handle()).toBe(0);
      const after = await office.now();
      const [waiting] = await office.work(accepted, 'order');
      expect(waiting).toMatchObject({ attempts: round, leaseUntil: null });
      // One, two, four minutes: of each between one half and the whole, from some moment of the round on.
      const wholeMicros = BigInt(TIMING.backoff.firstMs * 2 ** (round - 1)) * 1_000n;
      expect(waiting!.dueAt).toBeGreaterThanOrEqual(before + wholeMicros / 2n);
      expect(waiting!.dueAt).toBeLessThanOrEqual(after + wholeMicros);
      expect(await office.placement(accepted)).toMatchObject({
        state: 'waiting',
        code: 'too_many_requests',
        attempt: round,
      });
      await office.makeDue();
    }
    expect(await office.eventTypes(accepted, 'order.')).toEqual([]);
    scripted.script = {};
    await handler.handle();
    expect(scripted.creates).toEqual([1, 2, 3, 4]);
    expect(scripted.orders).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });

  test('behavior: the order system says itself when to come back', async () => {
    const accepted = await office.forSeller();
    scripted.script.create = answer({ outcome: 'retryable', code: 'too_many_requests', retryAfterMs: 3_600_000 });
    const before = await office.now();
    await office.orders(scripted).handle();
    const [waiting] = await office.work(accepted, 'order');
    expect(Number(waiting!.dueAt - before) / 1_000).toBeGreaterThanOrEqual(3_600_000);
  });

  test('error: a preflight that cannot be made sends nothing and is tried again', async () => {
    const accepted = await office.forSeller();
    scripted.script.preflight = () => Promise.reject(new Error('away'));
    await office.orders(scripted).handle();
    expect(scripted.creates).toEqual([]);
    expect(await office.placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
    scripted.script = {};
    await office.makeDue();
    await office.orders(scripted).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'created', attempt: 1 });
  });

  test.each([
    { what: 'longer than any call may take', timing: {}, suspendedMs: TIMING.callTimeoutMs },
    {
      what: 'longer than its lease, though calls may take longer',
      timing: { callTimeoutMs: 10 * TIMING.leaseMs },
      suspendedMs: TIMING.leaseMs - TIMING.leaseMarginMs,
    },
  ])(
    'behavior: a process that is suspended after its intent, $what, sends nothing',
    async ({ timing, suspendedMs }) => {
      const accepted = await office.forSeller();
      let nowMs = 0;
      const faults = new DoesAt('C4', () => {
        nowMs += suspendedMs;
        return Promise.resolve();
      });
      await office.orders(scripted, { timing, clock: { nowMs: () => nowMs }, faults }).handle();
      expect(scripted.creates).toEqual([]);
      expect(await office.placement(accepted)).toMatchObject({
        state: 'waiting',
        code: 'deadline_before_call',
        attempt: 1,
      });
      await office.makeDue();
      await office.orders(scripted).handle();
      expect(scripted.creates).toEqual([2]);
      expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
    },
  );
});
