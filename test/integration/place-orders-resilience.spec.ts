import type { CreateOutcome, OrderDraft, OrderTiming, UnitOfWork } from '@v402/application';
import { RetryableError } from '@v402/domain';
import { DecoratedUnitOfWork, ScriptedOrderSystem } from '@v402/testing';
import { BackOffice, TIMING } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { answer } from '../support/placing.js';
import { DiesOnceAt, RecordedAlarms } from '../support/seams.js';
import { until } from '../support/until.js';

/** Real: PostgreSQL, intake. Scripted: order systems that are slow, away or at their limit. */
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

const accept = (howMany: number): Promise<AgreedTrade[]> =>
  office.acceptAll(
    Array.from({ length: howMany }, () => ({})),
    ['seller'],
  );

const created = async (trades: readonly AgreedTrade[]): Promise<number> =>
  (await Promise.all(trades.map((each) => office.placement(each)))).filter(({ state }) => state === 'created').length;

const BUSY = { outcome: 'retryable', code: 'too_many_requests' } as const;

/** An order system whose creates wait until they are let go. */
class HangingOrders {
  readonly waiting: (() => void)[] = [];

  constructor(system: ScriptedOrderSystem, hangs: (draft: OrderDraft) => boolean = () => true) {
    system.script.create = async (draft) => {
      if (hangs(draft)) {
        const gone = Promise.withResolvers<undefined>();
        this.waiting.push(() => {
          gone.resolve(undefined);
        });
        await gone.promise;
      }
      return { outcome: 'created', order: { orderNumber: system.put(draft).orderNumber } };
    };
  }

  letGo(): void {
    for (const go of this.waiting.splice(0)) go();
  }
}

test('a round does not wait for its slowest call: the slots that are free are used', async () => {
  scripted = new ScriptedOrderSystem({ maxConcurrency: 2 });
  const trades = await accept(6);
  let slow: string | undefined;
  const hanging = new HangingOrders(scripted, ({ contractId }) => (slow ??= contractId) === contractId);
  const handler = office.orders(scripted);
  for (let round = 0; round < 5; round += 1) expect(await handler.begin()).toBe(round === 0 ? 2 : 1);
  expect(await handler.begin()).toBe(0);
  await until(async () => (await created(trades)) === 5);
  expect(scripted.creates).toHaveLength(6);
  hanging.letGo();
  await handler.end();
  expect(await created(trades)).toBe(6);
});

describe('the limit of an order system', () => {
  /** @returns how many orders four processes ask for at once, of an order system that takes three */
  const askedAtOnce = async (unitOfWork: UnitOfWork): Promise<number> => {
    scripted = new ScriptedOrderSystem({ maxConcurrency: 3 });
    await accept(12);
    const hanging = new HangingOrders(scripted);
    const claimed: number[] = [];
    const counting = new DecoratedUnitOfWork(unitOfWork, {
      work: (real) => ({
        claim: async (request) => {
          const claims = await real.claim(request);
          claimed.push(claims.length);
          return claims;
        },
      }),
    });
    const owners = ['a', 'b', 'c', 'd'];
    const rounds = owners.map((owner) => office.orders(scripted, { owner, unitOfWork: counting }).handle());
    const all = (): number => claimed.reduce((sum, count) => sum + count, 0);
    await until(() => claimed.length === owners.length && hanging.waiting.length === all());
    const asked = hanging.waiting.length;
    while (hanging.waiting.length > 0) {
      hanging.letGo();
      await new Promise(setImmediate);
    }
    await Promise.all(rounds);
    return asked;
  };

  test('holds over all processes', async () => {
    expect(await askedAtOnce(office.unitOfWork)).toBe(3);
  });

  test('guard removed: the count of leases. Each process goes to the limit by itself', async () => {
    const alone = new DecoratedUnitOfWork(office.unitOfWork, {
      work: (real) => ({
        claim: ({ kinds, limit, leaseMs, owner }) => real.claim({ kinds, limit, leaseMs, owner }),
      }),
    });
    expect(await askedAtOnce(alone)).toBeGreaterThan(3);
  });
});

describe('an order system that does not answer', () => {
  const circuit = { failures: 3, open: { firstMs: 1_000, maxMs: 1_000 } };

  test('is left alone, then tried with one order at a time, and gets all orders once it answers', async () => {
    const trades = await accept(6);
    let nowMs = 0;
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { timing: { circuit }, clock: { nowMs: () => nowMs }, alarms });
    scripted.script.create = answer(BUSY);
    expect(await handler.handle()).toBe(6);
    expect(handler.circuit).toBe('open');
    expect(alarms.take().map(({ code }) => code)).toEqual(['order_system_unavailable', 'order_system_circuit_open']);
    await office.makeDue();
    expect(await handler.handle()).toBe(0);

    nowMs += 1_000;
    expect(handler.circuit).toBe('half_open');
    expect(await handler.handle()).toBe(1);
    expect(handler.circuit).toBe('open');
    expect(scripted.creates).toHaveLength(7);
    expect(alarms.take()).toEqual([]);

    scripted.script = {};
    nowMs += 1_000;
    await office.makeDue();
    expect(await handler.handle()).toBe(1);
    expect(handler.circuit).toBe('closed');
    expect(await handler.handle()).toBe(5);
    expect(await created(trades)).toBe(6);
  });

  test('look-ups are no exception, nor do they count as attempts', async () => {
    const [lost] = await accept(1);
    scripted.script.create = answer({ outcome: 'unknown', code: 'connection_reset' });
    let nowMs = 0;
    const handler = office.orders(scripted, { timing: { circuit }, clock: { nowMs: () => nowMs } });
    await handler.handle();
    scripted.script.findByReference = () => Promise.reject(new RetryableError('away', 'The order system is away.'));
    for (let look = 1; look <= 2; look += 1) {
      await office.makeDue();
      expect(await handler.handle()).toBe(1);
    }
    expect(handler.circuit).toBe('open');
    await office.makeDue();
    expect(await handler.handle()).toBe(0);
    const attemptsBefore = (await office.work(lost!, 'order'))[0]!.attempts;
    for (let probe = 0; probe < 3; probe += 1) {
      nowMs += 1_000;
      await office.makeDue();
      expect(await handler.handle()).toBe(1);
    }
    expect((await office.work(lost!, 'order'))[0]!.attempts).toBe(attemptsBefore);
    expect(await office.placement(lost!)).toMatchObject({ state: 'unknown', code: 'away' });
  });

  test('an answer about one order does not open it: the others are placed', async () => {
    const trades = await accept(5);
    const poison = trades[0]!.contractId;
    scripted.script.create = (draft) =>
      Promise.resolve(
        draft.contractId === poison
          ? { outcome: 'rejected', code: 'credit_limit', message: 'No.' }
          : { outcome: 'created', order: scripted.put(draft) },
      );
    const handler = office.orders(scripted, { timing: { circuit: { ...circuit, failures: 1 } } });
    await handler.handle();
    expect(handler.circuit).toBe('closed');
    expect(await created(trades)).toBe(4);
  });
});

describe('an order that is tried as often as it may be', () => {
  const few: Partial<OrderTiming> = { maxAttempts: 3 };

  /** Held, in quarantine, said, and left alone. */
  const expectExhausted = async (trade: AgreedTrade, code: string, alarms: RecordedAlarms): Promise<void> => {
    expect(await office.placement(trade)).toMatchObject({ state: 'waiting', code });
    const reason = 'order_retries_exhausted';
    expect(await office.holds(trade)).toMatchObject([{ reason, open: true, evidence: { side: 'seller', code } }]);
    expect(await office.events(trade, 'hold.placed')).toMatchObject([{ data: { reason, evidence: { code } } }]);
    const sql = 'SELECT reason, code, side FROM v402.quarantine WHERE contract_id = $1';
    expect(await office.sql(sql, Buffer.from(trade.contractId, 'hex'))).toEqual([{ reason, code, side: 'seller' }]);
    expect(alarms.raised.filter((alarm) => alarm.code === reason)).toMatchObject([{ context: { reason: code } }]);
    expect(await office.work(trade, 'order')).toEqual([]);
  };

  test.each([
    { what: 'the order system takes it never', script: { create: answer(BUSY) }, code: BUSY.code },
    {
      what: 'its preflight fails each time',
      script: { preflight: () => Promise.reject(new Error('a mistake in the adapter')) },
      code: 'preflight_failed_unexpectedly',
    },
  ])('$what: it waits for a person', async ({ script, code }) => {
    const [trade] = await accept(1);
    scripted.script = script;
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { timing: few, alarms });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(await office.holds(trade!)).toEqual([]);
      expect(await handler.handle()).toBe(1);
      await office.makeDue();
    }
    expect(await handler.handle()).toBe(0);
    await expectExhausted(trade!, code, alarms);
    expect(scripted.orders).toEqual([]);
  });

  test('each request is lost and never found: it waits for a person, proven not to exist', async () => {
    const [trade] = await accept(1);
    scripted.script.create = answer({ outcome: 'unknown', code: 'connection_reset' });
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { timing: few, alarms });
    for (let round = 0; round < 6; round += 1) {
      expect(await handler.handle()).toBe(1);
      await office.makeDue();
    }
    expect(await handler.handle()).toBe(0);
    expect(scripted).toMatchObject({ creates: [1, 2, 3], lookUps: 3 });
    await expectExhausted(trade!, 'not_found', alarms);
  });

  test('what the order system cannot be asked for does not count', async () => {
    const [trade] = await accept(1);
    let nowMs = 0;
    const circuit = { failures: 1, open: { firstMs: 1_000, maxMs: 1_000 } };
    const handler = office.orders(scripted, { timing: { ...few, circuit }, clock: { nowMs: () => nowMs } });
    scripted.script.create = answer(BUSY);
    for (let round = 0; round < 8; round += 1) {
      expect(await handler.handle()).toBe(1);
      nowMs += 1_000;
      await office.makeDue();
    }
    expect(scripted.creates).toHaveLength(8);
    expect(await office.holds(trade!)).toEqual([]);
    expect((await office.work(trade!, 'order'))[0]).toMatchObject({ attempts: 1 });
  });

  test('processes that died with it do not count: nobody has tried it', async () => {
    const [trade] = await accept(1);
    for (let crash = 0; crash < 5; crash += 1) {
      const dying = office.orders(scripted, { faults: new DiesOnceAt('C3') });
      await expect(dying.handle()).rejects.toThrow('died at C3');
      await office.endLeases();
    }
    scripted.script.create = answer(BUSY);
    await office.orders(scripted, { timing: few }).handle();
    expect(await office.holds(trade!)).toEqual([]);
    expect((await office.work(trade!, 'order'))[0]).toMatchObject({ attempts: 1, leaseUntil: null });
  });

  test('its outcome can never be written: a person decides', async () => {
    const [trade] = await accept(1);
    scripted.script.create = (draft) => {
      const { orderNumber } = scripted.put(draft, { orderNumber: 'S-\0' });
      return Promise.resolve({ outcome: 'created', order: { orderNumber } });
    };
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    for (let round = 0; round < TIMING.maxLookUps + 2; round += 1) {
      expect(await handler.handle()).toBe(1);
      await office.makeDue();
    }
    expect(await handler.handle()).toBe(0);
    expect(await office.placement(trade!)).toMatchObject({ state: 'unresolved', code: 'outcome_not_recordable' });
    expect(await office.holds(trade!)).toMatchObject([{ reason: 'order_unresolved', open: true }]);
    expect(new Set(alarms.raised.map(({ code }) => code))).toEqual(new Set(['outcome_not_recordable']));
    expect(scripted.creates).toEqual([1]);
  });
});

test('an order of a held deal is not even looked through by the order system', async () => {
  const [trade] = await accept(1);
  await office.hold(trade!);
  let preflights = 0;
  scripted.script.preflight = () => Promise.resolve(((preflights += 1), []));
  await office.orders(scripted).handle();
  expect(preflights).toBe(0);
  expect((await office.work(trade!, 'order'))[0]).toMatchObject({ attempts: 0, leaseUntil: null });
});

describe('a call that lasts longer than its lease', () => {
  /** @returns how many orders another process claims, once the lease of the only one had ended and was up for renewal */
  const claimedBeside = async (isRenewed: boolean): Promise<number> => {
    const [trade] = await accept(1);
    const hanging = new HangingOrders(scripted);
    let renewals = 0;
    const counting = new DecoratedUnitOfWork(office.unitOfWork, {
      work: (real) => ({
        renew: async (claims) => {
          // For longer than this test may take, on a machine of any speed.
          if (isRenewed) await real.renew(claims, 60_000);
          renewals += 1;
        },
      }),
    });
    const timing = { leaseMs: 600, leaseMarginMs: 40 };
    // No time passes before the call, so that it begins under its lease on a machine of any speed.
    const clock = { nowMs: () => 0 };
    const placing = office.orders(scripted, { unitOfWork: counting, timing, clock, owner: 'slow' }).handle();
    await until(() => hanging.waiting.length === 1);
    await office.endLeases();
    const before = renewals;
    // The first of them may have begun before the lease was ended.
    await until(() => renewals >= before + 2);
    const claimed = await office.orders(scripted, { owner: 'other' }).handle();
    hanging.letGo();
    await placing;
    expect(scripted.orders).toHaveLength(1);
    expect((await office.placement(trade!)).state).toBe(claimed === 0 ? 'created' : 'unknown');
    return claimed;
  };

  test('its lease is renewed: nobody else claims it', async () => {
    expect(await claimedBeside(true)).toBe(0);
  });

  test('guard removed: the renewal. Another process takes the order for one whose claimant died', async () => {
    expect(await claimedBeside(false)).toBe(1);
  });
});

describe('who inherits an order whose call may still be under way', () => {
  /** @returns how many orders there are where a claimant loses its lease during its call, whose create takes effect late */
  const ordersAfterInheritance = async (unitOfWork: UnitOfWork): Promise<number> => {
    // Its uniqueness is a look that knows nothing of what is under way.
    scripted = new ScriptedOrderSystem({ uniqueRef: 'extension' });
    await accept(1);
    let late: OrderDraft | undefined;
    const asked = Promise.withResolvers<undefined>();
    const answered = Promise.withResolvers<CreateOutcome>();
    scripted.script.create = (draft) => {
      late = draft;
      scripted.script = {};
      asked.resolve(undefined);
      return answered.promise;
    };
    const first = office.orders(scripted, { unitOfWork, owner: 'first' }).handle();
    await asked.promise;
    await office.endLeases();
    const heir = office.orders(scripted, { owner: 'heir' });
    // All that the heir may do at once is done; then the call takes effect.
    while ((await heir.handle()) > 0) continue;
    scripted.put(late!);
    await office.makeDue();
    while ((await heir.handle()) > 0) continue;
    answered.resolve({ outcome: 'unknown', code: 'deadline_exceeded' });
    await first;
    return scripted.orders.length;
  };

  test('waits until the call has ended, by the intent', async () => {
    expect(await ordersAfterInheritance(office.unitOfWork)).toBe(1);
  });

  test('guard removed: the end of the call in the intent. The heir looks too early, and a second order is made', async () => {
    const endless = new DecoratedUnitOfWork(office.unitOfWork, {
      orders: (real) => ({
        save: (rows) => real.save(rows.map((row) => (row.state === 'placing' ? { ...row, lookUpNotBefore: 0n } : row))),
      }),
    });
    expect(await ordersAfterInheritance(endless)).toBe(2);
  });
});
