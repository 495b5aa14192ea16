import { instantOfMicros, RetryableError } from '@v402/domain';
import type { EmbeddedOrderSystem } from '@v402/order-systems';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice, DELIVERY_LEAD_DAYS, TRACEPARENT } from '../support/back-office.js';
import { draftOf, expectMismatch, orderBook } from '../support/placing.js';
import { RecordedAlarms } from '../support/seams.js';
import { BUYER, SELLER } from '../support/trade.js';

/** Real: PostgreSQL, intake, the embedded order book. Scripted: order systems that count what they are asked for. */
let office: BackOffice;
let embedded: EmbeddedOrderSystem;
let scripted: ScriptedOrderSystem;

beforeAll(async () => {
  office = await BackOffice.open();
  embedded = orderBook(office);
});

beforeEach(async () => {
  scripted = new ScriptedOrderSystem();
  await office.dropWork();
});

afterAll(async () => {
  await embedded.close();
  await office.close();
});

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

    const orders = await office.booked(accepted);
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
    expect(await office.placements(accepted)).toMatchObject([
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
    expect(await office.booked(accepted)).toMatchObject([{ kind }]);
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
    const accepted = await office.forSeller();
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
    const accepted = await office.forSeller();
    const draft = draftOf(accepted);
    await embedded.create(draft, { attempt: 1, signal: AbortSignal.timeout(60_000) });
    await office.orders(embedded).handle();
    expect(await office.booked(accepted)).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
    expect(await office.placement(accepted)).toMatchObject({ state: 'created', code: null });
  });

  test('and differs: a person decides, the deal is held, no order is announced', async () => {
    const [accepted, other] = await office.acceptAll(
      [{}, { charges: [{ type: 'freight', amount: '1.00' }] }],
      ['seller'],
    );
    await office.sql('DELETE FROM v402.work WHERE contract_id = $1', Buffer.from(other!.contractId, 'hex'));
    await embedded.create(
      { ...draftOf(other!), reference: accepted!.shortRef },
      { attempt: 1, signal: AbortSignal.timeout(60_000) },
    );
    const alarms = new RecordedAlarms();
    await office.orders(embedded, { alarms }).handle();
    await expectMismatch(office, accepted!, 'order_differs', alarms);
  });

  test('and cannot be read back: unknown, and a look-up tells', async () => {
    const accepted = await office.forSeller();
    scripted.put(draftOf(accepted));
    scripted.script.readBack = () => Promise.reject(new RetryableError('away', 'The order system is away.'));
    await office.orders(scripted).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'unknown', code: 'order_not_readable' });
    scripted.script = {};
    await office.makeDue();
    await office.orders(scripted).handle();
    expect(await office.placement(accepted)).toMatchObject({ state: 'created', attempt: 1 });
    expect(scripted.orders).toHaveLength(1);
  });
});
