import { addDays, dateOf, instantOfMicros, RAILS, type Rail, type Side } from '@v402/domain';
import { ScriptedOrderSystem } from '@v402/testing';
import {
  ApprovedAccounts,
  BackOffice,
  CARD_AT_ONCE,
  DELIVERY_LEAD_DAYS,
  RECHECK_MS,
  TRACEPARENT,
  type PublishedEvent,
} from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { RecordedAlarms } from '../support/seams.js';
import { SELLER } from '../support/trade.js';

/** What is asked for, of whom and when. Real: PostgreSQL, intake, the placing of orders. The order system is one in memory. */
let office: BackOffice;

beforeAll(async () => {
  office = await BackOffice.open();
});
beforeEach(() => office.dropWork());
afterAll(() => office.close());

const deliveries = ({ contractId }: AgreedTrade): Promise<{ side: Side; delivery: string; state: string }[]> =>
  office.sql(
    'SELECT side, delivery_id AS delivery, state FROM v402.delivery WHERE contract_id = $1 ORDER BY side, number',
    Buffer.from(contractId, 'hex'),
  );

/** A moment so many days ago: due times of contracts agreed then have come, with no test waiting for them. */
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
const agreedOn = ({ contract }: AgreedTrade): string => dateOf(contract.agreedAt);
const midnight = (date: string): string => `${date}T00:00:00.000000Z`;

const bySide = (events: readonly PublishedEvent[]): Record<Side, PublishedEvent> => {
  const of = (side: Side): PublishedEvent => {
    const [event, ...more] = events.filter(({ data }) => data['side'] === side);
    expect(more).toEqual([]);
    return event!;
  };
  return { buyer: of('buyer'), seller: of('seller') };
};

const leadOf = (days: Partial<Record<Rail, number>>): Record<Rail, number> => ({
  ...(Object.fromEntries(RAILS.map((rail) => [rail, 0])) as Record<Rail, number>),
  ...days,
});

describe('legs that the agreement triggers', () => {
  test('without days: scheduled and asked for at once, of payer and payee alike, under one end-to-end id', async () => {
    const accepted = await office.accept({
      ...CARD_AT_ONCE,
      payment: [
        { rail: 'card', trigger: 'agreed', amount: '100.10' },
        { rail: 'invoice', trigger: 'delivered' },
      ],
    });
    expect(await office.workflows().handle()).toBe(2);
    const { contractId, shortRef, contract } = accepted;
    const { buyer, seller } = contract.parties;
    const date = agreedOn(accepted);

    const scheduled = bySide(await office.events(accepted, 'payment.scheduled'));
    const leg = (side: Side): object => ({
      contractId,
      shortRef,
      negotiationId: contract.negotiationId,
      parties: contract.parties,
      side,
      role: side === 'buyer' ? 'payer' : 'payee',
      legId: 'p1',
      legNumber: 1,
      amount: { amount: '100.10', currency: 'EUR' },
      rail: 'card',
      trigger: { kind: 'agreed', days: 0, firedAt: contract.agreedAt },
      dueDate: date,
    });
    expect(scheduled.buyer.data).toEqual(leg('buyer'));
    expect(scheduled.seller.data).toEqual(leg('seller'));

    const requested = bySide(await office.events(accepted, 'payment.requested'));
    const request = (side: Side): object => ({
      ...leg(side),
      attempt: 1,
      endToEndId: `${shortRef}-1`,
      instructedAmount: { amount: '100.10', currency: 'EUR' },
      requestedExecutionDate: dateOf(requested[side].time),
      debtor: buyer,
      creditor: seller,
      remittanceInformation: `${shortRef}-1`,
      idempotencyKey: requested[side].data['idempotencyKey'],
    });
    expect(requested.buyer.data).toEqual(request('buyer'));
    expect(requested.seller.data).toEqual(request('seller'));
    expect(requested.buyer.data['idempotencyKey']).not.toBe(requested.seller.data['idempotencyKey']);

    const events = await office.events(accepted, 'payment.');
    expect(events.map(({ sequence }) => sequence)).toEqual(['0000000001', '0000000002', '0000000003', '0000000004']);
    expect(events.every(({ traceparent }) => traceparent === TRACEPARENT)).toBe(true);
    expect((await office.legs(accepted)).map(({ state }) => state)).toEqual([
      'requested',
      'waiting',
      'requested',
      'waiting',
    ]);
    expect(await office.work(accepted, 'payment_leg')).toEqual([]);
  });

  test('with days: scheduled now, asked for at 00:00 UTC of the due date less the lead of its rail', async () => {
    const agreedAt = daysAgo(1);
    const accepted = await office.accept({ agreedAt, payment: [{ rail: 'card', trigger: 'agreed', days: 30 }] }, [
      'seller',
    ]);
    const handler = office.workflows({ leadDays: leadOf({ card: 3 }) });
    await handler.handle();
    const dueDate = addDays(agreedOn(accepted), 30);
    expect(await office.eventTypes(accepted, 'payment.')).toEqual(['payment.scheduled.v1']);
    expect(await office.legs(accepted)).toMatchObject([{ state: 'scheduled', dueDate }]);
    const [waiting] = await office.work(accepted, 'payment_leg');
    expect(waiting).toMatchObject({ leaseUntil: null, attempts: 0 });
    expect(instantOfMicros(waiting!.dueAt)).toBe(midnight(addDays(dueDate, -3)));
    expect(await handler.handle()).toBe(0);

    // Woken early, it does not act early.
    await office.makeDue();
    expect(await handler.handle()).toBe(1);
    expect(await office.eventTypes(accepted, 'payment.')).toEqual(['payment.scheduled.v1']);

    // Its time has come.
    await office.sql(
      "UPDATE v402.payment_leg SET due_date = (clock_timestamp() AT TIME ZONE 'UTC')::date + 3 WHERE contract_id = $1",
      Buffer.from(accepted.contractId, 'hex'),
    );
    await office.makeDue();
    await handler.handle();
    expect(await office.eventTypes(accepted, 'payment.')).toEqual(['payment.scheduled.v1', 'payment.requested.v1']);
    expect(await office.work(accepted, 'payment_leg')).toEqual([]);
  });

  test.each([
    { agreedDaysAgo: 29, lead: 1, what: 'on the day that the lead time names', requested: true },
    { agreedDaysAgo: 28, lead: 1, what: 'a day before', requested: false },
    { agreedDaysAgo: 40, lead: 0, what: 'overdue', requested: true },
  ])('$what: asked for is $requested', async ({ agreedDaysAgo, lead, requested }) => {
    const draft = {
      agreedAt: daysAgo(agreedDaysAgo),
      payment: [{ rail: 'card', trigger: 'agreed', days: 30 }],
    } as const;
    const accepted = await office.accept(draft, ['seller']);
    await office.workflows({ leadDays: leadOf({ card: lead }) }).handle();
    const [event] = await office.events(accepted, 'payment.requested');
    expect(event !== undefined).toBe(requested);
    if (event === undefined) return;
    const { dueDate, requestedExecutionDate } = event.data as { dueDate: string; requestedExecutionDate: string };
    expect(dueDate).toBe(addDays(agreedOn(accepted), 30));
    // No rail executes in the past.
    const today = dateOf(event.time);
    expect(requestedExecutionDate).toBe(dueDate < today ? today : dueDate);
  });
});

describe('what the order triggers', () => {
  const draft = {
    payment: [{ rail: 'card', trigger: 'ordered', days: 10 }],
    delivery: {
      shipTo: { name: 'Buyer GmbH', country: 'DE' },
      incoterm: 'DAP',
      place: 'Hamburg',
      schedule: [
        { notBefore: '2026-11-22', notAfter: '2026-11-30', items: [{ line: '1', quantity: '2000' }] },
        { notBefore: '2099-05-20', notAfter: '2099-05-22' },
      ],
    },
  } as const;

  test('legs and deliveries wait for the order of their own side', async () => {
    const accepted = await office.accept(draft);
    expect(await office.workflows().handle()).toBe(0);
    await office.orders(new ScriptedOrderSystem({ maxConcurrency: 1 })).handle();
    const ordered = await office.events(accepted, 'order.created');
    expect(ordered).toHaveLength(1);
    const { side, orderNumber } = ordered[0]!.data as { side: Side; orderNumber: string };
    await office.workflows().handle();

    const events = await office.events(accepted, 'payment.');
    expect(events).toMatchObject([{ type: 'org.v402.payment.scheduled.v1', data: { side } }]);
    expect(events[0]!.data).toMatchObject({
      trigger: { kind: 'ordered', days: 10, firedAt: ordered[0]!.time },
      dueDate: addDays(dateOf(ordered[0]!.time), 10),
    });
    expect(await office.events(accepted, 'delivery.')).toMatchObject([
      { data: { side, orderReference: { orderSystem: 'scripted', reference: accepted.shortRef, orderNumber } } },
    ]);

    await office.placeOrders();
    await office.workflows().handle();
    expect((await office.events(accepted, 'payment.scheduled')).map(({ data }) => data['side']).sort()).toEqual([
      'buyer',
      'seller',
    ]);
  });

  test('deliveries are asked for by their lead time, whole', async () => {
    const accepted = await office.accept(draft);
    await office.placeOrders();
    await office.workflows().handle();
    const { buyer, seller } = bySide(await office.events(accepted, 'delivery.requested'));
    expect(seller.data).toMatchObject({
      role: 'shipper',
      deliveryId: 'd1',
      deliveryNumber: 1,
      attempt: 1,
      items: [{ line: '1', sku: 'BOLT-M8', description: 'Bolt M8', quantity: '2000', unit: 'C62' }],
      window: { notBefore: '2026-11-22', notAfter: '2026-11-30' },
      shipTo: draft.delivery.shipTo,
      incoterm: 'DAP',
      place: 'Hamburg',
    });
    expect(buyer.data).toMatchObject({ role: 'receiver', deliveryId: 'd1' });
    expect(buyer.data['idempotencyKey']).not.toBe(seller.data['idempotencyKey']);
    expect((await deliveries(accepted)).map(({ state }) => state)).toEqual([
      'requested',
      'waiting',
      'requested',
      'waiting',
    ]);
    const [later] = await office.work(accepted, 'delivery');
    expect(instantOfMicros(later!.dueAt)).toBe(midnight(addDays('2099-05-20', -DELIVERY_LEAD_DAYS)));

    await office.makeDue();
    await office.workflows().handle();
    expect(await office.events(accepted, 'delivery.requested')).toHaveLength(4);
    expect(await office.work(accepted, 'delivery')).toEqual([]);
    expect(await office.settlementState(accepted)).toBe('fulfilling');
  });

  test('legs that shipping and delivery trigger stay where they are', async () => {
    const accepted = await office.accept({
      payment: [
        { rail: 'card', trigger: 'shipped', percent: '50' },
        { rail: 'card', trigger: 'delivered', days: 10 },
      ],
    });
    await office.placeOrders();
    await office.makeDue();
    await office.workflows().handle();
    expect(await office.events(accepted, 'payment.')).toEqual([]);
    expect(new Set((await office.legs(accepted)).map(({ state }) => state))).toEqual(new Set(['waiting']));
    expect(await office.work(accepted)).toEqual([]);
  });
});

describe('rails', () => {
  test("an invoice leaves the seller when its trigger fires; the buyer's payment waits for the due date", async () => {
    const accepted = await office.accept({
      payment: [{ rail: 'invoice', trigger: 'agreed', days: 30 }],
      agreedAt: daysAgo(1),
    });
    await office.workflows().handle();
    const types = async (side: Side): Promise<string[]> =>
      (await office.events(accepted))
        .filter(({ type, data }) => data['side'] === side && !type.includes('settlement'))
        .map(({ type }) => type);
    expect(await types('seller')).toEqual(['org.v402.payment.scheduled.v1', 'org.v402.invoice.requested.v1']);
    expect(await types('buyer')).toEqual(['org.v402.payment.scheduled.v1']);
    const [invoice] = await office.events(accepted, 'invoice.requested');
    expect(invoice!.data).toMatchObject({
      role: 'payee',
      rail: 'invoice',
      invoiceReference: `${accepted.shortRef}-1`,
      amount: { amount: '617.00', currency: 'EUR' },
      lines: accepted.contract.terms.lines,
      dueDate: addDays(agreedOn(accepted), 30),
      attempt: 1,
    });
    expect(await office.legs(accepted)).toMatchObject([
      { side: 'buyer', state: 'scheduled' },
      { side: 'seller', state: 'requested' },
    ]);
  });

  test('the x402 object goes out as it was agreed', async () => {
    const x402 = {
      network: 'eip155:8453',
      asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
      payTo: '0x1111111111111111111111111111111111111111',
    };
    const accepted = await office.accept({ payment: [{ rail: 'x402', trigger: 'agreed', x402 }] });
    await office.workflows().handle();
    const requested = await office.events(accepted, 'payment.requested');
    expect(requested).toHaveLength(2);
    for (const { data } of requested) expect(data).toMatchObject({ rail: 'x402', x402 });
  });

  test('a bank payment whose creditor has no approved account stops, visibly, and goes on when it has', async () => {
    const accepted = await office.accept({ payment: [{ rail: 'sepa', trigger: 'agreed' }] });
    const accounts = new ApprovedAccounts();
    accounts.approve(SELLER, 'sepa', 'USD', { scheme: 'other', identification: 'of another currency' });
    const alarms = new RecordedAlarms();
    const handler = office.workflows({ accounts, alarms });
    const before = await office.now();
    await handler.handle();
    expect(await office.legs(accepted)).toMatchObject([
      { side: 'buyer', state: 'blocked', code: 'creditor_account_missing' },
      { side: 'seller', state: 'requested', code: null },
    ]);
    // The payee is told what to expect; it needs nobody's account.
    expect(await office.events(accepted, 'payment.requested')).toMatchObject([{ data: { side: 'seller' } }]);
    const [blocked] = await office.work(accepted, 'payment_leg');
    expect(blocked!.dueAt).toBeGreaterThanOrEqual(before + BigInt(RECHECK_MS) * 1_000n);
    for (let round = 0; round < 2; round += 1) {
      await office.makeDue();
      await handler.handle();
    }
    expect(alarms.raised).toEqual([
      { code: 'payment_leg_blocked', context: { contractId: accepted.contractId, side: 'buyer', leg: 'p1' } },
    ]);

    const account = { scheme: 'iban', identification: 'DE02120300000000202051', agent: 'BYLADEM1001' } as const;
    accounts.approve(SELLER, 'sepa', 'EUR', account);
    await office.makeDue();
    await handler.handle();
    const { buyer } = bySide(await office.events(accepted, 'payment.requested'));
    expect(buyer.data).toMatchObject({ creditor: { ...accepted.contract.parties.seller, account } });
    expect(await office.legs(accepted)).toMatchObject([{ state: 'requested', code: null }, { state: 'requested' }]);
    expect(await office.work(accepted, 'payment_leg')).toEqual([]);
  });
});
