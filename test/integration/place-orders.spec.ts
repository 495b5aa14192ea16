import { randomUUID } from 'node:crypto';
import type { CreateOutcome, OrderDraft, UnitOfWork } from '@v402/application';
import { instantOfMicros, RetryableError, type Micros, type OrderPlacementState, type Side } from '@v402/domain';
import { EmbeddedOrderSystem, type TransactionHooks } from '@v402/order-systems';
import { DecoratedUnitOfWork, ScriptedOrderSystem } from '@v402/testing';
import {
  BackOffice,
  DELIVERY_LEAD_DAYS,
  microsOf,
  SERVER_TIMEOUT_MS,
  TIMING,
  TRACEPARENT,
} from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { DiesOnceAt, DoesAt, RecordedAlarms, type RaisedAlarm } from '../support/seams.js';
import { BUYER, SELLER } from '../support/trade.js';

/** Real: PostgreSQL, intake, the embedded order book. Scripted: order systems that answer what the order book never does. */
let office: BackOffice;
let hooks: { -readonly [Name in keyof TransactionHooks]: TransactionHooks[Name] };
let embedded: EmbeddedOrderSystem;
let scripted: ScriptedOrderSystem;

beforeAll(async () => {
  office = await BackOffice.open();
  const live: TransactionHooks = {
    beforeCommit: async () => hooks.beforeCommit?.(),
    afterCommit: async () => hooks.afterCommit?.(),
  };
  embedded = new EmbeddedOrderSystem({ url: office.database.orderbookUrl, hooks: live });
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

interface Placement {
  readonly side: Side;
  readonly state: OrderPlacementState;
  readonly attempt: number;
  readonly unknowns: number;
  readonly code: string | null;
  readonly orderNumber: string | null;
  readonly lookUpNotBefore: Micros | null;
}

const placements = async ({ contractId }: AgreedTrade): Promise<Placement[]> => {
  const rows = await office.sql<Omit<Placement, 'lookUpNotBefore'> & { at: string | null }>(
    `SELECT side, state, attempt, unknowns, code, order_number AS "orderNumber", ${microsOf('look_up_not_before')} AS at
     FROM v402.order_placement WHERE contract_id = $1 ORDER BY side`,
    Buffer.from(contractId, 'hex'),
  );
  return rows.map(({ at, ...row }) => ({ ...row, lookUpNotBefore: at === null ? null : BigInt(at) }));
};

const placement = async (accepted: AgreedTrade): Promise<Placement> => {
  const rows = await placements(accepted);
  expect(rows).toHaveLength(1);
  return rows[0]!;
};

/** Orders in the order book itself. */
const booked = async ({ shortRef }: AgreedTrade): Promise<{ kind: string; orderNumber: string; total: string }[]> =>
  office.sql(
    `SELECT kind, order_number AS "orderNumber", trim_scale(total)::text AS total FROM orderbook.order_head
     WHERE reference = $1 ORDER BY kind`,
    shortRef,
  );

const forSeller = (): Promise<AgreedTrade> => office.accept({}, ['seller']);

const answer =
  (outcome: CreateOutcome): (() => Promise<CreateOutcome>) =>
  () =>
    Promise.resolve(outcome);
const UNKNOWN = { outcome: 'unknown', code: 'connection_reset' } as const;
/** An adapter that ignores its signal. */
const never = new Promise<never>(() => undefined);
const IMPATIENT = { callTimeoutMs: 150 };
/** From an intent to the first look-up. */
const WAIT = BigInt(TIMING.callTimeoutMs + SERVER_TIMEOUT_MS + TIMING.lookUpMarginMs) * 1_000n;

describe('created', () => {
  test('a sales order for the seller and a purchase order for the buyer, whole, one event each', async () => {
    const accepted = await office.accept({
      lines: [
        { sku: 'BOLT-M8', quantity: '5000', unitPrice: '12.34', priceBasis: '100' },
        { sku: 'NUT-M8', quantity: '12.5', unit: 'KGM', unitPrice: '2.00' },
      ],
      charges: [{ type: 'freight', amount: '20.00' }],
      delivery: {
        schedule: [
          { notBefore: '2027-01-10', notAfter: '2027-01-12', items: [{ line: '1', quantity: '2000' }] },
          { notBefore: '2027-02-10', notAfter: '2027-02-12' },
        ],
      },
    });
    expect(await office.orders(embedded).handle()).toBe(2);

    const orders = await booked(accepted);
    expect(orders).toEqual([
      { kind: 'purchase_order', orderNumber: expect.any(String) as string, total: '662' },
      { kind: 'sales_order', orderNumber: expect.any(String) as string, total: '662' },
    ]);
    const details = await office.sql(
      `SELECT o.kind, (SELECT json_agg(json_build_array(sku, trim_scale(quantity)::text, unit, trim_scale(amount)::text)
           ORDER BY position) FROM orderbook.order_line WHERE order_id = o.id) AS lines,
         (SELECT json_agg(json_build_array(type, trim_scale(amount)::text)) FROM orderbook.order_charge
           WHERE order_id = o.id) AS charges,
         (SELECT json_agg(trim_scale(quantity)::text ORDER BY delivery_position, position)
           FROM orderbook.order_delivery_item WHERE order_id = o.id) AS items
       FROM orderbook.order_head o WHERE reference = $1 ORDER BY kind`,
      accepted.shortRef,
    );
    const agreed = {
      lines: [
        ['BOLT-M8', '5000', 'C62', '617'],
        ['NUT-M8', '12.5', 'KGM', '25'],
      ],
      charges: [['freight', '20']],
      items: ['2000', '3000', '12.5'],
    };
    expect(details).toEqual([
      { kind: 'purchase_order', ...agreed },
      { kind: 'sales_order', ...agreed },
    ]);

    const events = await office.events(accepted, 'order.created');
    const { contractId, shortRef, contract } = accepted;
    const common = {
      contractId,
      shortRef,
      negotiationId: contract.negotiationId,
      parties: contract.parties,
      orderSystem: 'embedded',
      reference: shortRef,
      attempt: 1,
    };
    const bySide = new Map(events.map((event) => [event.data['side'], event]));
    expect(events).toHaveLength(2);
    expect(bySide.get('seller')?.data).toEqual({
      ...common,
      side: 'seller',
      kind: 'sales_order',
      orderNumber: orders[1]?.orderNumber,
    });
    expect(bySide.get('buyer')?.data).toEqual({
      ...common,
      side: 'buyer',
      kind: 'purchase_order',
      orderNumber: orders[0]?.orderNumber,
    });
    expect(events.map(({ sequence }) => sequence)).toEqual(['0000000002', '0000000003']);
    expect(events.every(({ traceparent }) => traceparent === TRACEPARENT)).toBe(true);
    expect(await office.settlementState(accepted)).toBe('ordered');
    expect(await placements(accepted)).toMatchObject([
      { side: 'buyer', state: 'created', attempt: 1, unknowns: 0, orderNumber: orders[0]?.orderNumber },
      { side: 'seller', state: 'created', attempt: 1, unknowns: 0, orderNumber: orders[1]?.orderNumber },
    ]);
  });

  test.each([
    { side: 'seller', party: SELLER, kind: 'sales_order' },
    { side: 'buyer', party: BUYER, kind: 'purchase_order' },
  ] as const)('only the $kind where only the $side is served', async ({ side, party, kind }) => {
    const accepted = await office.accept({}, [side]);
    await office.orders(embedded).handle();
    expect(accepted.contract.parties[side].id).toBe(party);
    expect(await booked(accepted)).toMatchObject([{ kind }]);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
    expect(await office.settlementState(accepted)).toBe('ordered');
  });

  test('one of two orders: the settlement is still ordering', async () => {
    const accepted = await office.accept();
    await office.orders(new ScriptedOrderSystem({ maxConcurrency: 1 })).handle();
    expect(await office.settlementState(accepted)).toBe('ordering');
  });

  test('work follows for the legs that the order triggers, at once, and for the deliveries, in good time', async () => {
    const accepted = await office.accept(
      {
        payment: [
          { rail: 'card', trigger: 'agreed', percent: '10' },
          { rail: 'card', trigger: 'ordered', days: 5, percent: '20' },
          { rail: 'invoice', trigger: 'shipped', percent: '30' },
          { rail: 'invoice', trigger: 'delivered', days: 30 },
        ],
        delivery: {
          schedule: [
            { notBefore: '2027-03-20', notAfter: '2027-03-22', items: [{ line: '1', quantity: '1000' }] },
            { notBefore: '2027-01-05', notAfter: '2027-01-06' },
          ],
        },
      },
      ['seller'],
    );
    const before = await office.now();
    await office.orders(embedded).handle();
    const after = await office.now();
    const [d1, d2, agreed, ordered, ...more] = await office.work(accepted);
    expect(more).toEqual([]);
    expect(d1).toMatchObject({ kind: 'delivery', subject: 'd1' });
    expect(instantOfMicros(d1!.dueAt)).toBe('2027-03-06T00:00:00.000000Z');
    expect(d2).toMatchObject({ kind: 'delivery', subject: 'd2' });
    expect(instantOfMicros(d2!.dueAt)).toBe('2026-12-22T00:00:00.000000Z');
    expect(DELIVERY_LEAD_DAYS).toBe(14);
    expect(agreed).toMatchObject({ kind: 'payment_leg', subject: 'p1' });
    expect(ordered).toMatchObject({ kind: 'payment_leg', subject: 'p2', leaseUntil: null, attempts: 0 });
    expect(ordered!.dueAt).toBeGreaterThanOrEqual(before);
    expect(ordered!.dueAt).toBeLessThanOrEqual(after);
  });

  test('redelivered work of an order that exists sends nothing', async () => {
    const accepted = await forSeller();
    const handler = office.orders(scripted);
    await handler.handle();
    await office.redeliver(accepted, 'order', 'seller', '');
    expect(await handler.handle()).toBe(1);
    expect(scripted.creates).toEqual([1]);
    expect(await office.work(accepted, 'order')).toEqual([]);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });
});

describe('an order with our reference exists already', () => {
  test('and is what was agreed: success', async () => {
    const accepted = await forSeller();
    const draft = draftOf(accepted);
    await embedded.create(draft, { attempt: 1, signal: AbortSignal.timeout(5_000) });
    await office.orders(embedded).handle();
    expect(await booked(accepted)).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
    expect(await placement(accepted)).toMatchObject({ state: 'created', code: null });
  });

  test('and differs: a person decides, the deal is held, no order is announced', async () => {
    const [accepted, other] = await office.acceptAll(
      [{}, { charges: [{ type: 'freight', amount: '1.00' }] }],
      ['seller'],
    );
    await office.sql('DELETE FROM v402.work WHERE contract_id = $1', Buffer.from(other!.contractId, 'hex'));
    await embedded.create(
      { ...draftOf(other!), reference: accepted!.shortRef },
      { attempt: 1, signal: AbortSignal.timeout(5_000) },
    );
    const alarms = new RecordedAlarms();
    await office.orders(embedded, { alarms }).handle();
    await expectMismatch(accepted!, 'order_differs', alarms);
  });

  test('and cannot be read back: unknown, and a look-up tells', async () => {
    const accepted = await forSeller();
    scripted.put(draftOf(accepted));
    scripted.script.readBack = () => Promise.reject(new RetryableError('away', 'The order system is away.'));
    await office.orders(scripted).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', code: 'order_not_readable' });
    scripted.script = {};
    await office.makeDue();
    await office.orders(scripted).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'created', attempt: 1 });
    expect(scripted.orders).toHaveLength(1);
  });
});

describe('refused', () => {
  test('by the order system: the deal is held, and what has not started stays', async () => {
    const accepted = await office.accept({ payment: [{ rail: 'card', trigger: 'agreed' }] }, ['seller']);
    scripted.script.create = answer({ outcome: 'rejected', code: 'credit_limit', message: 'No.' });
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    expect(await placement(accepted)).toMatchObject({ state: 'rejected', code: 'credit_limit', attempt: 1 });
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
    expect(await placement(accepted)).toMatchObject({ state: 'rejected', attempt: 0 });
    expect(await office.holds(accepted)).toMatchObject([{ reason: 'order_rejected' }]);
  });
});

describe('not written', () => {
  test('behavior: retried from the beginning with a backoff, and created once', async () => {
    const accepted = await forSeller();
    scripted.script.create = answer({ outcome: 'retryable', code: 'too_many_requests' });
    const handler = office.orders(scripted);
    const pauses: number[] = [];
    for (let round = 1; round <= 3; round += 1) {
      const before = await office.now();
      expect(await handler.handle()).toBe(1);
      expect(await handler.handle()).toBe(0);
      const [waiting] = await office.work(accepted, 'order');
      expect(waiting).toMatchObject({ attempts: round, leaseUntil: null });
      pauses.push(Number(waiting!.dueAt - before) / 1_000);
      expect(await placement(accepted)).toMatchObject({ state: 'waiting', code: 'too_many_requests', attempt: round });
      await office.makeDue();
    }
    // 10 s, 20 s, 40 s: of each between one half and the whole; and the time that the round itself takes.
    pauses.forEach((pauseMs, index) => {
      const wholeMs = TIMING.backoff.firstMs * 2 ** index;
      expect(pauseMs).toBeGreaterThanOrEqual(wholeMs / 2);
      expect(pauseMs).toBeLessThan(wholeMs + 2_000);
    });
    expect(await office.eventTypes(accepted, 'order.')).toEqual([]);
    scripted.script = {};
    await handler.handle();
    expect(scripted.creates).toEqual([1, 2, 3, 4]);
    expect(scripted.orders).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });

  test('behavior: the order system says itself when to come back', async () => {
    const accepted = await forSeller();
    scripted.script.create = answer({ outcome: 'retryable', code: 'too_many_requests', retryAfterMs: 3_600_000 });
    const before = await office.now();
    await office.orders(scripted).handle();
    const [waiting] = await office.work(accepted, 'order');
    expect(Number(waiting!.dueAt - before) / 1_000).toBeGreaterThanOrEqual(3_600_000);
  });

  test('error: a preflight that cannot be made sends nothing and is tried again', async () => {
    const accepted = await forSeller();
    scripted.script.preflight = () => Promise.reject(new Error('away'));
    await office.orders(scripted).handle();
    expect(scripted.creates).toEqual([]);
    expect(await placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
    scripted.script = {};
    await office.makeDue();
    await office.orders(scripted).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'created', attempt: 1 });
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
      const accepted = await forSeller();
      let nowMs = 0;
      const faults = new DoesAt('C4', () => {
        nowMs += suspendedMs;
        return Promise.resolve();
      });
      await office.orders(scripted, { timing, clock: { nowMs: () => nowMs }, faults }).handle();
      expect(scripted.creates).toEqual([]);
      expect(await placement(accepted)).toMatchObject({ state: 'waiting', code: 'deadline_before_call', attempt: 1 });
      await office.makeDue();
      await office.orders(scripted).handle();
      expect(scripted.creates).toEqual([2]);
      expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
    },
  );
});

describe('unknown', () => {
  test('behavior: announced once, not looked up before the call can no longer take effect, then found', async () => {
    const accepted = await forSeller();
    let intended: Micros | null = null;
    hooks.afterCommit = async () => {
      delete hooks.afterCommit;
      intended = (await placement(accepted)).lookUpNotBefore;
      throw new Error('the answer is lost');
    };
    const handler = office.orders(embedded);
    const before = await office.now();
    await handler.handle();
    const { lookUpNotBefore, ...lost } = await placement(accepted);
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
    const orders = await booked(accepted);
    expect(orders).toHaveLength(1);
    expect(await placement(accepted)).toMatchObject({ state: 'created', orderNumber: orders[0]?.orderNumber });
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
    expect(await office.settlementState(accepted)).toBe('ordered');
  });

  test('behavior: nothing there, on a system that refuses a second one: created again, exactly one order', async () => {
    const accepted = await forSeller();
    scripted.script.create = answer(UNKNOWN);
    const handler = office.orders(scripted);
    await handler.handle();
    scripted.script = {};
    await office.makeDue();
    await handler.handle(); // looks up
    expect(await placement(accepted)).toMatchObject({ state: 'waiting', code: 'not_found', lookUpNotBefore: null });
    expect(scripted.orders).toHaveLength(0);
    await handler.handle(); // creates
    expect(scripted).toMatchObject({ creates: [1, 2], lookUps: 1 });
    expect(scripted.orders).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
  });

  test('behavior: unknown twice is announced twice, by two ids', async () => {
    const accepted = await forSeller();
    scripted.script.create = answer(UNKNOWN);
    const handler = office.orders(scripted);
    await handler.handle();
    await office.makeDue();
    await handler.handle();
    await handler.handle();
    const events = await office.events(accepted, 'order.outcome_unknown');
    expect(events).toHaveLength(2);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', unknowns: 2, attempt: 2 });
  });

  test('behavior: nothing there, on a system that refuses nothing: a person decides, no second create', async () => {
    scripted = new ScriptedOrderSystem({ uniqueRef: 'none' });
    const accepted = await forSeller();
    scripted.script.create = answer(UNKNOWN);
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    scripted.script = {};
    await office.makeDue();
    await handler.handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unresolved', code: 'not_found_and_not_unique' });
    await office.makeDue();
    expect(await handler.handle()).toBe(0);
    expect(scripted.creates).toEqual([1]);
    const code = 'not_found_and_not_unique';
    await expectLeftToPerson(accepted, { state: 'unresolved', reason: 'order_unresolved', code }, alarms);
  });

  test('error: two orders with our reference', async () => {
    scripted = new ScriptedOrderSystem({ uniqueRef: 'none' });
    const accepted = await forSeller();
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
    await expectMismatch(accepted, 'reference_used_twice', alarms);
  });

  test('error: the look-up finds an order that differs', async () => {
    const accepted = await forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft, { total: '1.00' });
      return Promise.resolve(UNKNOWN);
    };
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    await office.makeDue();
    await handler.handle();
    await expectMismatch(accepted, 'order_differs', alarms);
  });

  test('behavior: a look-up that cannot be made is postponed for as long as it takes', async () => {
    const accepted = await forSeller();
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
      expect(await placement(accepted)).toMatchObject({ state: 'unknown', unknowns: 1 });
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
      const accepted = await forSeller();
      scripted.script.create = answer(UNKNOWN);
      const handler = office.orders(scripted, { alarms });
      await handler.handle();
      scripted.script = { findByReference };
      for (let round = 0; round < TIMING.maxLookUps; round += 1) {
        expect(await placement(accepted)).toMatchObject({ state: 'unknown' });
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
      const accepted = await lookedUp(alarms, forSeller);
      const ofCase = alarms.raised.filter((alarm) => alarm.code !== 'order_system_unavailable');
      alarms.raised.splice(0, Infinity, ...ofCase);
      await expectLeftToPerson(accepted, { state: 'unresolved', reason: 'order_unresolved', code }, alarms);
    });

    test('go on, where it answers nobody', async () => {
      const accepted = await lookedUp(new RecordedAlarms(), () => Promise.resolve());
      expect(await placement(accepted)).toMatchObject({ state: 'unknown', code });
      expect(await office.holds(accepted)).toEqual([]);
    });
  });

  test('error: an order that is found and never shown goes to a person; the order system is not blamed', async () => {
    const accepted = await forSeller();
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
    await expectLeftToPerson(accepted, { state: 'unresolved', reason: 'order_unresolved', code }, alarms);
  });

  test('error: an adapter that throws may have written', async () => {
    const accepted = await forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft);
      return Promise.reject(new TypeError('a mistake in the adapter'));
    };
    await office.orders(scripted).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', code: 'adapter_failed' });
    await office.makeDue();
    await office.orders(scripted).handle();
    expect(scripted.creates).toEqual([1]);
    expect(await placement(accepted)).toMatchObject({ state: 'created' });
  });

  test('error: an adapter that throws before its promise is there may have written, too', async () => {
    const accepted = await forSeller();
    scripted.script.create = () => {
      throw new TypeError('a mistake in the adapter');
    };
    await office.orders(scripted).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', code: 'adapter_failed' });
  });

  test('behavior: an adapter that ignores its signal is not waited for beyond the deadline', async () => {
    const accepted = await forSeller();
    scripted.script.create = () => never;
    await office.orders(scripted, { timing: IMPATIENT }).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', code: 'deadline_exceeded' });
  });
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
    expect(await placements(accepted)).toMatchObject([
      { state: 'waiting', code: 'unreachable' },
      { state: 'waiting', code: 'unreachable' },
    ]);
    scripted.script = { preflight: () => Promise.reject(new RetryableError('away', 'The order system is away.')) };
    await rounds();
    expect(alarms.take()).toEqual([unavailable('away')]);
    expect(await placements(accepted)).toMatchObject([{ code: 'away' }, { code: 'away' }]);

    scripted.script = {};
    await office.makeDue();
    await handler.handle();
    expect(await placements(accepted)).toMatchObject([
      { state: 'created', code: null },
      { state: 'created', code: null },
    ]);
    expect(alarms.take()).toEqual([]);

    scripted.script.create = answer({ outcome: 'retryable', code: 'unreachable' });
    await forSeller();
    nowMs += 2 * (TIMING.backoff.maxMs + TIMING.circuit.open.maxMs) + 1;
    await handler.handle();
    expect(alarms.take()).toEqual([unavailable('unreachable')]);
  });

  test('is said once where one order fails again and again, and others are placed in between', async () => {
    const failing = await forSeller();
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    scripted.script.create = (draft) =>
      Promise.resolve(
        draft.contractId === failing.contractId
          ? { outcome: 'retryable', code: 'customer_locked' }
          : { outcome: 'created', order: scripted.put(draft) },
      );
    for (let round = 0; round < 4; round += 1) {
      const healthy = await forSeller();
      await office.makeDue();
      expect(await handler.handle()).toBe(2);
      expect(await placement(healthy)).toMatchObject({ state: 'created' });
    }
    expect(alarms.take()).toEqual([unavailable('customer_locked')]);
  });

  test('for a look-up: its code is kept, and it is said once', async () => {
    const accepted = await forSeller();
    scripted.script.create = answer(UNKNOWN);
    scripted.script.findByReference = () => Promise.reject(new RetryableError('away', 'The order system is away.'));
    const alarms = new RecordedAlarms();
    const handler = office.orders(scripted, { alarms });
    await handler.handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', code: UNKNOWN.code });
    for (let round = 0; round < 3; round += 1) {
      await office.makeDue();
      await handler.handle();
    }
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', code: 'away', unknowns: 1 });
    expect(alarms.take()).toEqual([unavailable('away')]);
  });

  test('is not blamed for what is over: a deadline before the call, an order that it does not have', async () => {
    await forSeller();
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

describe('an adapter that never answers a question does not stop the role', () => {
  test('preflight: nothing is sent, and it is tried again', async () => {
    const accepted = await forSeller();
    scripted.script.preflight = () => never;
    await office.orders(scripted, { timing: IMPATIENT }).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(scripted.creates).toEqual([]);
  });

  test.each(['findByReference', 'readBack'] as const)('%s: the look-up is postponed', async (question) => {
    const accepted = await forSeller();
    scripted.script.create = (draft) => {
      scripted.put(draft);
      return Promise.resolve(UNKNOWN);
    };
    scripted.script[question] = () => never;
    const handler = office.orders(scripted, { timing: IMPATIENT });
    await handler.handle();
    await office.makeDue();
    await handler.handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', unknowns: 1 });
    expect((await office.work(accepted, 'order'))[0]!.dueAt).toBeGreaterThan(await office.now());
  });

  test('readBack of an order that exists already: unknown', async () => {
    const accepted = await forSeller();
    scripted.put(draftOf(accepted));
    scripted.script.readBack = () => never;
    await office.orders(scripted, { timing: IMPATIENT }).handle();
    expect(await placement(accepted)).toMatchObject({ state: 'unknown', code: 'order_not_readable' });
  });
});

test('a settlement whose contract cannot be read holds up none of its batch', async () => {
  const accepted = await office.acceptAll([{}, {}, {}, {}, {}], ['seller']);
  const [broken, ...others] = accepted;
  const id = Buffer.from(broken!.contractId, 'hex');
  const [{ canonical }] = (await office.sql('SELECT canonical FROM v402.settlement WHERE contract_id = $1', id)) as [
    { canonical: Buffer },
  ];
  const write = (bytes: Buffer): Promise<unknown> =>
    office.sql('UPDATE v402.settlement SET canonical = $2 WHERE contract_id = $1', id, bytes);
  await write(canonical.subarray(1));
  const alarms = new RecordedAlarms();
  const handler = office.orders(scripted, { alarms });
  expect(await handler.handle()).toBe(5);
  expect((await Promise.all(others.map(placement))).map(({ state }) => state)).toEqual(Array(4).fill('created'));
  expect(await placement(broken!)).toMatchObject({ state: 'waiting', attempt: 0 });
  expect(alarms.take()).toEqual([
    {
      code: 'settlement_not_readable',
      context: { contractId: broken!.contractId, side: 'seller', reason: 'contract_unreadable' },
    },
  ]);
  expect(await handler.handle()).toBe(0);

  await write(canonical);
  await office.makeDue();
  expect(await handler.handle()).toBe(1);
  expect(await placement(broken!)).toMatchObject({ state: 'created', attempt: 1 });
});

test('an outcome that cannot be written is said, keeps none of its batch from being recorded, and is looked up', async () => {
  const accepted = await office.acceptAll([{}, {}, {}, {}], ['seller']);
  let broken: string | undefined;
  scripted.script.create = (draft) => {
    const { orderNumber } = scripted.put(draft);
    // The first outcome is recorded by itself, the others together: this one is among them.
    if (scripted.creates.length === 2) broken = draft.contractId;
    const answered = draft.contractId === broken ? `${orderNumber}\0` : orderNumber;
    return Promise.resolve({ outcome: 'created', order: { orderNumber: answered } });
  };
  const alarms = new RecordedAlarms();
  const handler = office.orders(scripted, { alarms });
  expect(await handler.handle()).toBe(4);
  const states = async (): Promise<string[]> =>
    (await Promise.all(accepted.map(placement))).map(({ state }) => state).sort();
  expect(await states()).toEqual(['created', 'created', 'created', 'placing']);
  expect(alarms.take()).toEqual([
    { code: 'outcome_not_recordable', context: { contractId: broken, side: 'seller', reason: 'data_error' } },
  ]);

  await office.makeDue();
  await handler.handle(); // finds the intent
  await office.makeDue();
  await handler.handle(); // finds the order, by a number that can be written
  expect(await states()).toEqual(['created', 'created', 'created', 'created']);
  expect(scripted.orders).toHaveLength(4);
  expect(alarms.take()).toEqual([]);
});

describe('holds and supersession', () => {
  test('a held deal: nothing is sent; it goes on once all holds are released', async () => {
    const accepted = await forSeller();
    await office.hold(accepted);
    const handler = office.orders(scripted);
    const before = await office.now();
    expect(await handler.handle()).toBe(1);
    expect(scripted.creates).toEqual([]);
    expect(await placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
    const [held] = await office.work(accepted, 'order');
    expect(held).toMatchObject({ attempts: 0, leaseUntil: null });
    expect(held!.dueAt).toBeGreaterThanOrEqual(before + BigInt(TIMING.holdRecheckMs) * 1_000n);
    await office.makeDue();
    await handler.handle();
    expect(scripted.creates).toEqual([]);

    await office.releaseHolds(accepted);
    await office.makeDue();
    await handler.handle();
    expect(scripted.creates).toEqual([1]);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });

  test('an amendment that comes between claim and intent: only its order is sent, under the first reference', async () => {
    const negotiationId = randomUUID();
    const base = await office.accept({ negotiationId }, ['seller']);
    let amendment: AgreedTrade | undefined;
    const faults = new DoesAt('C3', async () => {
      const charges = [{ type: 'freight', amount: '5.00' }] as const;
      amendment = await office.accept({ negotiationId, supersedes: base.contractId, charges }, ['seller']);
    });
    await office.orders(embedded, { faults }).handle();
    expect(await booked(base)).toEqual([]);
    expect(await placement(base)).toMatchObject({ state: 'superseded', attempt: 0 });

    await office.orders(embedded).handle();
    expect(await booked(base)).toMatchObject([{ kind: 'sales_order', total: '622' }]);
    expect(await office.eventTypes(amendment!, 'order.')).toEqual(['order.created.v1']);
    expect(await office.eventTypes(base, 'order.')).toEqual([]);
  });

  test('what the preflight says of a contract that was amended meanwhile refuses nothing and holds nobody', async () => {
    const { base, amendment } = await amendedAfterStart();
    await office.releaseHolds(amendment);
    scripted.script.preflight = () => Promise.resolve([{ code: 'price_scale_exceeded', where: '/terms/lines/0' }]);
    const alarms = new RecordedAlarms();
    const before = await office.now();
    expect(await office.orders(scripted, { alarms }).handle()).toBe(1);
    expect(scripted.creates).toEqual([]);
    expect(await office.eventTypes(base, 'order.')).toEqual(['order.created.v1']);
    expect(await office.holds(base)).toEqual([]);
    expect(await office.eventTypes(base, 'hold.')).toEqual([]);
    expect((await placements(base)).map(({ state }) => state).sort()).toEqual(['created', 'waiting']);
    expect(alarms.take()).toEqual([]);
    const [waiting] = await office.work(base, 'order');
    expect(waiting).toMatchObject({ leaseUntil: null });
    expect(waiting!.dueAt).toBeGreaterThanOrEqual(before + BigInt(TIMING.holdRecheckMs) * 1_000n);
  });

  test('work of a contract that is no longer current sends nothing', async () => {
    const accepted = await forSeller();
    await office.sql(
      'UPDATE v402.settlement SET current = false WHERE contract_id = $1',
      Buffer.from(accepted.contractId, 'hex'),
    );
    await office.orders(scripted).handle();
    expect(scripted.creates).toEqual([]);
    expect(await placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
  });
});

describe('processes that die', () => {
  test('C3, claimed: claimed again, free of suspicion', async () => {
    const accepted = await forSeller();
    await expect(office.orders(scripted, { faults: new DiesOnceAt('C3') }).handle()).rejects.toThrow('died at C3');
    expect(await office.orders(scripted).handle()).toBe(0);
    await office.endLeases();
    await office.orders(scripted).handle();
    expect(scripted).toMatchObject({ creates: [1], lookUps: 0 });
    expect(await placement(accepted)).toMatchObject({ state: 'created', attempt: 1, unknowns: 0 });
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });

  test.each([
    { point: 'C4', what: 'nothing was sent', creates: [2], orders: 0 },
    { point: 'C5', what: 'the order exists', creates: [1], orders: 1 },
  ] as const)('$point, $what: unknown, looked up, exactly one order', async ({ point, creates, orders }) => {
    const accepted = await forSeller();
    await expect(office.orders(scripted, { faults: new DiesOnceAt(point) }).handle()).rejects.toThrow(
      `died at ${point}`,
    );
    const { lookUpNotBefore: intended, ...placing } = await placement(accepted);
    expect(placing).toMatchObject({ state: 'placing', attempt: 1 });
    expect(scripted.orders).toHaveLength(orders);
    expect(await office.settlementState(accepted)).toBe('ordering');

    const handler = office.orders(scripted, { owner: 'successor' });
    expect(await handler.handle()).toBe(0);
    await office.endLeases();
    await handler.handle();
    const { lookUpNotBefore, ...lost } = await placement(accepted);
    expect(lost).toMatchObject({ state: 'unknown', code: 'outcome_not_recorded' });
    expect(lookUpNotBefore).toBe(intended);
    expect(await handler.handle()).toBe(0);
    expect(scripted.lookUps).toBe(0);
    await office.makeDue();
    while ((await handler.handle()) > 0) continue;
    expect(scripted.creates).toEqual(creates);
    expect(scripted).toMatchObject({ lookUps: 1 });
    expect(scripted.orders).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
  });

  test('C5 on the order book: the answer came, and the look-up finds what it said', async () => {
    const accepted = await office.accept();
    await expect(office.orders(embedded, { faults: new DiesOnceAt('C5') }).handle()).rejects.toThrow('died at C5');
    const handler = office.orders(embedded);
    await office.endLeases();
    await handler.handle();
    await office.makeDue();
    await handler.handle();
    const orders = await booked(accepted);
    expect(orders).toHaveLength(2);
    expect((await placements(accepted)).map(({ orderNumber }) => orderNumber)).toEqual(
      orders.map(({ orderNumber }) => orderNumber),
    );
  });

  test('C6, the outcome is committed: nothing is left to do', async () => {
    const accepted = await forSeller();
    await expect(office.orders(scripted, { faults: new DiesOnceAt('C6') }).handle()).rejects.toThrow('died at C6');
    await office.endLeases();
    expect(await office.orders(scripted).handle()).toBe(0);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });

  test('a claimant that wakes up too late writes nothing: the outcome of the other stands', async () => {
    const accepted = await forSeller();
    const [committed, resumed] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    hooks.afterCommit = async () => {
      delete hooks.afterCommit;
      committed.resolve(undefined);
      await resumed.promise;
    };
    const alarms = new RecordedAlarms();
    const zombie = office.orders(embedded, { owner: 'zombie', alarms }).handle();
    await committed.promise;
    await office.endLeases();
    const successor = office.orders(embedded, { owner: 'successor' });
    await successor.handle();
    await office.makeDue();
    await successor.handle();
    const stands = await placement(accepted);
    expect(stands).toMatchObject({ state: 'created' });
    resumed.resolve(undefined);
    await zombie;
    expect(alarms.raised).toMatchObject([{ code: 'claim_lost', context: { side: 'seller' } }]);
    expect(await placement(accepted)).toEqual(stands);
    expect(await booked(accepted)).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
  });
});

/** Each guard in its place, and the same scene without it. */
describe('guards', () => {
  describe('the epoch of a claim', () => {
    /** @returns the order's state, as a late answer of the first claimant leaves it while the second one's call is under way */
    const lateAnswer = async (unitOfWork: UnitOfWork): Promise<OrderPlacementState> => {
      const accepted = await forSeller();
      const calls = [Promise.withResolvers<CreateOutcome>(), Promise.withResolvers<CreateOutcome>()];
      const [first, second] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
      scripted.script.create = (_, { attempt }) => {
        (attempt === 1 ? first : second).resolve(undefined);
        return calls[attempt - 1]!.promise;
      };
      const zombie = office.orders(scripted, { unitOfWork, owner: 'zombie' }).handle();
      await first.promise;
      await office.endLeases();
      const successor = office.orders(scripted, { owner: 'successor' });
      await successor.handle(); // finds the intent
      await office.makeDue();
      await successor.handle(); // finds no order
      const placing = successor.handle();
      await second.promise;
      calls[0]!.resolve({ outcome: 'retryable', code: 'too_many_requests' });
      await zombie;
      const { state } = await placement(accepted);
      calls[1]!.resolve({ outcome: 'created', order: { orderNumber: 'S-1' } });
      await placing.catch(() => undefined);
      return state;
    };

    test('a late answer does not touch what the next claimant has begun', async () => {
      expect(await lateAnswer(office.unitOfWork)).toBe('placing');
    });

    test('guard removed: the epoch. A late answer declares an order unsent that is being sent', async () => {
      const unchecked = new DecoratedUnitOfWork(office.unitOfWork, {
        work: () => ({ confirm: (claims) => Promise.resolve(claims) }),
      });
      expect(await lateAnswer(unchecked)).toBe('waiting');
    });
  });

  describe('the intent before the call', () => {
    /** @returns how many orders there are after a claimant died between the answer and its record */
    const ordersAfterDeath = async (unitOfWork: UnitOfWork): Promise<number> => {
      scripted = new ScriptedOrderSystem({ uniqueRef: 'none' });
      await forSeller();
      const dying = office.orders(scripted, { unitOfWork, faults: new DiesOnceAt('C5') });
      await expect(dying.handle()).rejects.toThrow('died at C5');
      await office.endLeases();
      const successor = office.orders(scripted);
      for (let round = 0; round < 3; round += 1) {
        await successor.handle();
        await office.makeDue();
      }
      return scripted.orders.length;
    };

    test('the successor knows that it does not know', async () => {
      expect(await ordersAfterDeath(office.unitOfWork)).toBe(1);
    });

    test('guard removed: the intent. The successor orders again', async () => {
      const forgetful = new DecoratedUnitOfWork(office.unitOfWork, {
        orders: () => ({ save: () => Promise.resolve() }),
      });
      expect(await ordersAfterDeath(forgetful)).toBe(2);
    });
  });

  describe('the wait before the look-up', () => {
    /** @returns how many orders there are where a create takes effect late, of which its reference's uniqueness knows nothing */
    const ordersAfterLateCommit = async (unitOfWork: UnitOfWork): Promise<number> => {
      scripted = new ScriptedOrderSystem({ uniqueRef: 'extension' });
      await forSeller();
      let late: OrderDraft | undefined;
      scripted.script.create = (draft) => {
        late = draft;
        scripted.script = {};
        return Promise.resolve(UNKNOWN);
      };
      const handler = office.orders(scripted, { unitOfWork });
      await handler.handle();
      // All that may be done at once is done; then the first create takes effect.
      while ((await handler.handle()) > 0) continue;
      scripted.put(late!);
      await office.makeDue();
      while ((await handler.handle()) > 0) continue;
      return scripted.orders.length;
    };

    test('the late order is found', async () => {
      expect(await ordersAfterLateCommit(office.unitOfWork)).toBe(1);
    });

    test('guard removed: the wait. The look-up comes too early, and a second order is made', async () => {
      const impatient = new DecoratedUnitOfWork(office.unitOfWork, {
        work: (real) => ({ postpone: (claims) => real.postpone(claims.map((each) => ({ ...each, dueAt: 0n }))) }),
      });
      expect(await ordersAfterLateCommit(impatient)).toBe(2);
    });
  });

  describe('the look at holds at the point of no return', () => {
    /** @returns how many orders were sent of a deal that is held while its order is already claimed */
    const sentThoughHeld = async (unitOfWork: UnitOfWork): Promise<number> => {
      const accepted = await forSeller();
      scripted.script.preflight = async () => {
        await office.hold(accepted);
        return [];
      };
      await office.orders(scripted, { unitOfWork }).handle();
      return scripted.creates.length;
    };

    test('a hold that comes after the claim, and after the preflight, stops the order', async () => {
      expect(await sentThoughHeld(office.unitOfWork)).toBe(0);
    });

    test('guard removed: the look at holds. The order is sent', async () => {
      const blind = new DecoratedUnitOfWork(office.unitOfWork, {
        deals: () => ({ held: () => Promise.resolve(new Set<string>()) }),
      });
      expect(await sentThoughHeld(blind)).toBe(1);
    });
  });

  describe('the look at what is current at the point of no return', () => {
    /** @returns how many orders of the replaced terms are sent, once the operator lets the amended deal go on */
    const sentThoughAmended = async (unitOfWork: UnitOfWork): Promise<number> => {
      const { amendment } = await amendedAfterStart();
      await office.releaseHolds(amendment);
      await office.orders(scripted, { unitOfWork }).handle();
      return scripted.creates.length;
    };

    test('of an amended contract nothing more is sent', async () => {
      expect(await sentThoughAmended(office.unitOfWork)).toBe(0);
    });

    test('guard removed: the look at what is current. The other order of the replaced terms is sent', async () => {
      const blind = new DecoratedUnitOfWork(office.unitOfWork, {
        settlements: (real) => ({
          lock: async (ids) => (await real.lock(ids)).map((settlement) => ({ ...settlement, current: true })),
        }),
      });
      expect(await sentThoughAmended(blind)).toBe(1);
    });
  });
});

/** A contract of which one order is there and the other one waits, and the amendment that came then; the deal is held. */
async function amendedAfterStart(): Promise<{ base: AgreedTrade; amendment: AgreedTrade }> {
  const negotiationId = randomUUID();
  const base = await office.accept({ negotiationId });
  await office.orders(new ScriptedOrderSystem({ maxConcurrency: 1 })).handle();
  const charges = [{ type: 'freight', amount: '5.00' }] as const;
  const amendment = await office.accept({ negotiationId, supersedes: base.contractId, charges });
  return { base, amendment };
}

const draftOf = ({ contractId, shortRef, contract }: AgreedTrade): OrderDraft => ({
  kind: 'sales_order',
  reference: shortRef,
  contractId,
  contract,
});

const expectMismatch = (accepted: AgreedTrade, code: string, alarms: RecordedAlarms): Promise<void> =>
  expectLeftToPerson(accepted, { state: 'mismatched', reason: 'order_mismatch', code }, alarms);

/** The order is a person's to decide: quarantined, with the hold that it caused. */
async function expectLeftToPerson(
  accepted: AgreedTrade,
  { state, reason, code }: { state: 'mismatched' | 'unresolved'; reason: string; code: string },
  alarms: RecordedAlarms,
): Promise<void> {
  expect(await placement(accepted)).toMatchObject({ state, code, orderNumber: null });
  expect((await office.eventTypes(accepted, 'order.')).filter((type) => type === 'order.created.v1')).toEqual([]);
  const [hold, ...more] = await office.holds(accepted);
  expect(more).toEqual([]);
  expect(hold).toMatchObject({ reason, open: true, evidence: { side: 'seller', code } });
  const quarantined = await office.sql(
    'SELECT reason, code, side, hold_id AS hold FROM v402.quarantine WHERE contract_id = $1',
    Buffer.from(accepted.contractId, 'hex'),
  );
  expect(quarantined).toEqual([{ reason, code, side: 'seller', hold: hold?.id }]);
  expect(await office.events(accepted, 'hold.')).toMatchObject([
    { type: 'org.v402.hold.placed.v1', data: { holdId: hold?.id, reason, evidence: { side: 'seller', code } } },
  ]);
  expect(await office.work(accepted, 'order')).toEqual([]);
  const alarm = state === 'mismatched' ? 'order_mismatch' : 'order_unresolved';
  expect(alarms.raised).toMatchObject([{ code: alarm, context: { side: 'seller' } }]);
  expect(await office.settlementState(accepted)).toBe('order_unknown');
}
