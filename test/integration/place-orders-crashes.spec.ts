import type { EmbeddedOrderSystem } from '@v402/order-systems';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice } from '../support/back-office.js';
import { orderBook, type LiveHooks } from '../support/placing.js';
import { DiesOnceAt, RecordedAlarms } from '../support/seams.js';

/** Real: PostgreSQL, intake, the embedded order book. Scripted: order systems that count what they are asked for. */
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

describe('processes that die', () => {
  test('C3, claimed: claimed again, free of suspicion', async () => {
    const accepted = await office.forSeller();
    await expect(office.orders(scripted, { faults: new DiesOnceAt('C3') }).handle()).rejects.toThrow('died at C3');
    expect(await office.orders(scripted).handle()).toBe(0);
    await office.endLeases();
    await office.orders(scripted).handle();
    expect(scripted).toMatchObject({ creates: [1], lookUps: 0 });
    expect(await office.placement(accepted)).toMatchObject({ state: 'created', attempt: 1, unknowns: 0 });
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });

  test.each([
    { point: 'C4', what: 'nothing was sent', creates: [2], orders: 0 },
    { point: 'C5', what: 'the order exists', creates: [1], orders: 1 },
  ] as const)('$point, $what: unknown, looked up, exactly one order', async ({ point, creates, orders }) => {
    const accepted = await office.forSeller();
    await expect(office.orders(scripted, { faults: new DiesOnceAt(point) }).handle()).rejects.toThrow(
      `died at ${point}`,
    );
    const { lookUpNotBefore: intended, ...placing } = await office.placement(accepted);
    expect(placing).toMatchObject({ state: 'placing', attempt: 1 });
    expect(scripted.orders).toHaveLength(orders);
    expect(await office.settlementState(accepted)).toBe('ordering');

    const handler = office.orders(scripted, { owner: 'successor' });
    expect(await handler.handle()).toBe(0);
    await office.endLeases();
    await handler.handle();
    const { lookUpNotBefore, ...lost } = await office.placement(accepted);
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
    const orders = await office.booked(accepted);
    expect(orders).toHaveLength(2);
    expect((await office.placements(accepted)).map(({ orderNumber }) => orderNumber)).toEqual(
      orders.map(({ orderNumber }) => orderNumber),
    );
  });

  test('C6, the outcome is committed: nothing is left to do', async () => {
    const accepted = await office.forSeller();
    await expect(office.orders(scripted, { faults: new DiesOnceAt('C6') }).handle()).rejects.toThrow('died at C6');
    await office.endLeases();
    expect(await office.orders(scripted).handle()).toBe(0);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.created.v1']);
  });

  test('a claimant that wakes up too late writes nothing: the outcome of the other stands', async () => {
    const accepted = await office.forSeller();
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
    const stands = await office.placement(accepted);
    expect(stands).toMatchObject({ state: 'created' });
    resumed.resolve(undefined);
    await zombie;
    expect(alarms.raised).toMatchObject([{ code: 'claim_lost', context: { side: 'seller' } }]);
    expect(await office.placement(accepted)).toEqual(stands);
    expect(await office.booked(accepted)).toHaveLength(1);
    expect(await office.eventTypes(accepted, 'order.')).toEqual(['order.outcome_unknown.v1', 'order.created.v1']);
  });
});
