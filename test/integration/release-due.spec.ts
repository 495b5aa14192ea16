import type { PaymentAccounts, ReleaseDueHandler, UnitOfWork } from '@v402/application';
import {
  addDays,
  dateOf,
  instantOfMicros,
  RAILS,
  sumDecimals,
  TerminalError,
  type Rail,
  type Side,
} from '@v402/domain';
import { DecoratedUnitOfWork, ScriptedOrderSystem } from '@v402/testing';
import {
  ApprovedAccounts,
  BackOffice,
  DELIVERY_LEAD_DAYS,
  RECHECK_MS,
  TRACEPARENT,
  type PublishedEvent,
} from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { DiesOnceAt, DoesAt, RecordedAlarms, StopsAt } from '../support/seams.js';
import { SELLER } from '../support/trade.js';

/** Real: PostgreSQL, intake, the placing of orders. The order system is one in memory. */
let office: BackOffice;
const system = new ScriptedOrderSystem();

beforeAll(async () => {
  office = await BackOffice.open();
});
beforeEach(() => office.dropWork());
afterAll(() => office.close());

interface LegState {
  readonly side: Side;
  readonly leg: string;
  readonly state: string;
  readonly dueDate: string | null;
  readonly code: string | null;
}

const legs = ({ contractId }: AgreedTrade): Promise<LegState[]> =>
  office.sql(
    `SELECT side, leg_id AS leg, state, to_char(due_date, 'YYYY-MM-DD') AS "dueDate", code
     FROM v402.payment_leg WHERE contract_id = $1 ORDER BY side, number`,
    Buffer.from(contractId, 'hex'),
  );

const deliveries = ({ contractId }: AgreedTrade): Promise<{ side: Side; delivery: string; state: string }[]> =>
  office.sql(
    'SELECT side, delivery_id AS delivery, state FROM v402.delivery WHERE contract_id = $1 ORDER BY side, number',
    Buffer.from(contractId, 'hex'),
  );

const placeOrders = (): Promise<number> => office.orders(system).handle();

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

/** A unit of work that notes the payment events which its transactions append, committed or not. */
const recordingEvents = (inner: UnitOfWork): UnitOfWork & { readonly types: string[] } => {
  const types: string[] = [];
  const recording = new DecoratedUnitOfWork(inner, {
    events: (real) => ({
      append: (events) => {
        types.push(...events.map(({ type }) => type));
        return real.append(events);
      },
    }),
  });
  return Object.assign(recording, { types });
};

/** A delivery whose time has come. */
const SOON = { schedule: [{ notBefore: '2026-11-22', notAfter: '2026-11-30' }] } as const;
const CARD_AT_ONCE = { payment: [{ rail: 'card', trigger: 'agreed' }] } as const;

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
    expect((await legs(accepted)).map(({ state }) => state)).toEqual(['requested', 'waiting', 'requested', 'waiting']);
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
    expect(await legs(accepted)).toMatchObject([{ state: 'scheduled', dueDate }]);
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

    await placeOrders();
    await office.workflows().handle();
    expect((await office.events(accepted, 'payment.scheduled')).map(({ data }) => data['side']).sort()).toEqual([
      'buyer',
      'seller',
    ]);
  });

  test('deliveries are asked for by their lead time, whole', async () => {
    const accepted = await office.accept(draft);
    await placeOrders();
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
    await placeOrders();
    await office.makeDue();
    await office.workflows().handle();
    expect(await office.events(accepted, 'payment.')).toEqual([]);
    expect(new Set((await legs(accepted)).map(({ state }) => state))).toEqual(new Set(['waiting']));
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
    expect(await legs(accepted)).toMatchObject([
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
    expect(await legs(accepted)).toMatchObject([
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
    expect(await legs(accepted)).toMatchObject([{ state: 'requested', code: null }, { state: 'requested' }]);
    expect(await office.work(accepted, 'payment_leg')).toEqual([]);
  });
});

describe('what stops a release', () => {
  test('a hold: nothing goes out until it is released', async () => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    await office.hold(accepted);
    const handler = office.workflows();
    expect(await handler.handle()).toBe(1);
    await office.makeDue();
    await handler.handle();
    expect(await office.events(accepted, 'payment.')).toEqual([]);
    await office.releaseHolds(accepted);
    await office.makeDue();
    await handler.handle();
    expect(await office.eventTypes(accepted, 'payment.')).toEqual(['payment.scheduled.v1', 'payment.requested.v1']);
  });

  test('an amendment that comes between claim and release: only its own legs are asked for', async () => {
    const base = await office.accept(CARD_AT_ONCE, ['seller']);
    let amendment: AgreedTrade | undefined;
    const faults = new DoesAt('C3', async () => {
      const { negotiationId } = base.contract;
      const draft = { ...CARD_AT_ONCE, negotiationId, supersedes: base.contractId } as const;
      amendment = await office.accept({ ...draft, charges: [{ type: 'freight', amount: '5.00' }] }, ['seller']);
    });
    await office.workflows({ faults }).handle();
    await office.workflows().handle();
    expect(await office.events(base, 'payment.')).toEqual([]);
    expect(await legs(base)).toMatchObject([{ state: 'superseded' }]);
    expect(await office.events(amendment!, 'payment.requested')).toMatchObject([
      { data: { amount: { amount: '622.00', currency: 'EUR' } } },
    ]);
  });

  test('a contract that is no longer current', async () => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    await office.sql(
      'UPDATE v402.settlement SET current = false WHERE contract_id = $1',
      Buffer.from(accepted.contractId, 'hex'),
    );
    await office.workflows().handle();
    expect(await office.events(accepted, 'payment.')).toEqual([]);
  });
});

describe('what cannot be released', () => {
  const requestsOf = async (accepted: readonly AgreedTrade[]): Promise<number[]> => {
    const events = await Promise.all(accepted.map((each) => office.events(each, 'payment.requested')));
    return events.map(({ length }) => length);
  };
  /** Expects the one claim to be put off and said, once per round, and the other twenty to be done in the first. */
  const expectOnePutOff = async (
    handler: ReleaseDueHandler,
    alarms: RecordedAlarms,
    [broken, ...others]: readonly AgreedTrade[],
    context: Record<string, string>,
  ): Promise<void> => {
    const said = {
      code: 'release_failed',
      context: { contractId: broken!.contractId, kind: 'payment_leg', subjectId: 'p1', ...context },
    };
    const before = await office.now();
    expect(await handler.handle()).toBe(21);
    expect(await requestsOf(others)).toEqual(Array<number>(20).fill(1));
    expect(await requestsOf([broken!])).toEqual([0]);
    expect(alarms.take()).toEqual([said]);
    const [putOff, ...rest] = await office.work(broken!, 'payment_leg');
    expect(rest).toEqual([]);
    expect(putOff).toMatchObject({ leaseUntil: null, attempts: 1 });
    expect(putOff!.dueAt).toBeGreaterThanOrEqual(before + BigInt(RECHECK_MS) * 1_000n);
    expect(await handler.handle()).toBe(0);
    await office.makeDue();
    expect(await handler.handle()).toBe(1);
    expect(alarms.take()).toEqual([said]);
  };

  test('a settlement whose contract cannot be read holds up none of its batch', async () => {
    const accepted = await office.acceptAll(
      Array.from({ length: 21 }, () => CARD_AT_ONCE),
      ['seller'],
    );
    const id = Buffer.from(accepted[0]!.contractId, 'hex');
    const canonical = (
      await office.sql<{ canonical: Buffer }>('SELECT canonical FROM v402.settlement WHERE contract_id = $1', id)
    )[0]!.canonical;
    const write = (bytes: Buffer): Promise<unknown> =>
      office.sql('UPDATE v402.settlement SET canonical = $2 WHERE contract_id = $1', id, bytes);
    await write(canonical.subarray(1));
    const alarms = new RecordedAlarms();
    const handler = office.workflows({ alarms });
    await expectOnePutOff(handler, alarms, accepted, { side: 'seller', reason: 'contract_unreadable' });

    await write(canonical);
    await office.makeDue();
    await handler.handle();
    expect(await requestsOf(accepted)).toEqual(Array<number>(21).fill(1));
    expect(await office.work(accepted[0]!, 'payment_leg')).toEqual([]);
  });

  test('accounts that cannot be asked stop the payment that needs one, and no other', async () => {
    const sepa = { payment: [{ rail: 'sepa', trigger: 'agreed' }] } as const;
    const accepted = await office.acceptAll([sepa, ...Array.from({ length: 20 }, () => CARD_AT_ONCE)], ['buyer']);
    const accounts = new ApprovedAccounts();
    let canBeAsked = false;
    const asked: PaymentAccounts = {
      approved: (...about) => {
        if (canBeAsked) return accounts.approved(...about);
        throw new TerminalError('payment_accounts_invalid', 'The file of the approved accounts cannot be read.');
      },
    };
    const alarms = new RecordedAlarms();
    const handler = office.workflows({ accounts: asked, alarms });
    await expectOnePutOff(handler, alarms, accepted, { side: 'buyer', reason: 'payment_accounts_invalid' });
    expect(await legs(accepted[0]!)).toMatchObject([{ state: 'waiting', code: null }]);

    canBeAsked = true;
    accounts.approve(SELLER, 'sepa', 'EUR', { scheme: 'iban', identification: 'DE02120300000000202051' });
    await office.makeDue();
    await handler.handle();
    expect(await requestsOf(accepted)).toEqual(Array<number>(21).fill(1));
  });
});

describe('exactly once', () => {
  test('redelivered work asks for nothing a second time', async () => {
    const accepted = await office.accept({ ...CARD_AT_ONCE, delivery: SOON }, ['seller']);
    await placeOrders();
    const handler = office.workflows();
    await handler.handle();
    await office.redeliver(accepted, 'payment_leg', 'seller', 'p1');
    await office.redeliver(accepted, 'delivery', 'seller', 'd1');
    expect(await handler.handle()).toBe(2);
    expect(await office.events(accepted, 'payment.requested')).toHaveLength(1);
    expect(await office.events(accepted, 'delivery.requested')).toHaveLength(1);
    expect(await office.work(accepted)).toEqual([]);
  });

  test('two processes at once, with leases that end in between: each leg is asked for once', async () => {
    const accepted = await office.acceptAll(Array.from({ length: 20 }, () => CARD_AT_ONCE));
    const first = new StopsAt('C3');
    const [one, two] = [
      office.workflows({ owner: 'one', batchSize: 30, faults: first }).handle(),
      office.workflows({ owner: 'two', batchSize: 30 }),
    ];
    await first.reached;
    await office.endLeases();
    const rest = [two.handle(), two.handle()];
    first.release();
    await Promise.all([one, ...rest]);
    await two.handle();
    for (const each of accepted) {
      expect(await office.eventTypes(each, 'payment.requested')).toHaveLength(2);
      expect(await office.eventTypes(each, 'payment.scheduled')).toHaveLength(2);
    }
  });

  test('C1, a crash before the commit: all of it is undone, and done again once', async () => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    await expect(office.workflows({ faults: new DiesOnceAt('C1') }).handle()).rejects.toThrow('died at C1');
    expect(await office.events(accepted, 'payment.')).toEqual([]);
    expect(await legs(accepted)).toMatchObject([{ state: 'waiting', dueDate: null }]);
    expect(await office.workflows().handle()).toBe(0);
    await office.endLeases();
    await office.workflows().handle();
    const events = await office.events(accepted, 'payment.');
    expect(events.map(({ sequence }) => sequence)).toEqual(['0000000001', '0000000002']);
  });

  test('C6, a crash after the commit: nothing is left to do', async () => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    await expect(office.workflows({ faults: new DiesOnceAt('C6') }).handle()).rejects.toThrow('died at C6');
    await office.endLeases();
    expect(await office.workflows().handle()).toBe(0);
    expect(await office.events(accepted, 'payment.requested')).toHaveLength(1);
  });

  test('what is asked for adds up to what was agreed', async () => {
    const accepted = await office.accept({
      lines: [{ sku: 'A', quantity: '3', unitPrice: '33.35' }],
      payment: [
        { rail: 'card', trigger: 'agreed', percent: '33.3' },
        {
          rail: 'x402',
          trigger: 'agreed',
          percent: '12.5',
          x402: { network: 'eip155:8453', asset: 'USDC', payTo: '0xab' },
        },
        { rail: 'external', trigger: 'ordered' },
      ],
    });
    await office.workflows().handle();
    await placeOrders();
    await office.workflows().handle();
    const requested = await office.events(accepted, 'payment.requested');
    for (const side of ['buyer', 'seller']) {
      const amounts = requested
        .filter(({ data }) => data['side'] === side)
        .map(({ data }) => (data['instructedAmount'] as { amount: string }).amount);
      expect(amounts).toHaveLength(3);
      expect(sumDecimals(amounts)).toBe('100.05');
    }
  });
});

/** Each guard in its place, and the same scene without it. */
describe('guards', () => {
  /** @returns types of payment events that the release of a leg appends which was asked for already */
  const secondRelease = async (unitOfWork: UnitOfWork): Promise<string[]> => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    await office.workflows().handle();
    await office.redeliver(accepted, 'payment_leg', 'seller', 'p1');
    const appended = recordingEvents(unitOfWork);
    await office
      .workflows({ unitOfWork: appended })
      .handle()
      .catch(() => undefined);
    return appended.types;
  };

  test('the state of a leg: one that was asked for is not asked for again', async () => {
    expect(await secondRelease(office.unitOfWork)).toEqual([]);
  });

  test('guard removed: the state of a leg. It is asked for again', async () => {
    const forgetful = new DecoratedUnitOfWork(office.unitOfWork, {
      legs: (real) => ({
        ofSettlements: async (ids) =>
          (await real.ofSettlements(ids)).map((leg) => ({ ...leg, state: 'waiting', dueDate: undefined })),
      }),
    });
    expect(await secondRelease(forgetful)).toEqual(['org.v402.payment.scheduled.v1', 'org.v402.payment.requested.v1']);
  });

  /** @returns how many events a process appends whose claim another one has taken over */
  const staleClaim = async (unitOfWork: UnitOfWork): Promise<number> => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    const slow = new StopsAt('C3');
    const appended = recordingEvents(unitOfWork);
    const stale = office.workflows({ owner: 'stale', unitOfWork: appended, faults: slow }).handle();
    await slow.reached;
    await office.endLeases();
    const successor = new StopsAt('C3');
    const next = office.workflows({ owner: 'successor', faults: successor }).handle();
    await successor.reached;
    slow.release();
    await stale;
    const attempted = appended.types.length;
    successor.release();
    await next;
    expect(await office.events(accepted, 'payment.requested')).toHaveLength(1);
    return attempted;
  };

  test('the epoch of a claim: whoever lost it does nothing', async () => {
    expect(await staleClaim(office.unitOfWork)).toBe(0);
  });

  test('guard removed: the epoch. Whoever lost the claim acts, while another process holds it', async () => {
    const unchecked = new DecoratedUnitOfWork(office.unitOfWork, {
      work: () => ({ confirm: (claims) => Promise.resolve(claims) }),
    });
    expect(await staleClaim(unchecked)).toBe(2);
  });

  /** @returns how many payments are asked for of a deal that is held while the work is already claimed */
  const releasedThoughHeld = async (unitOfWork: UnitOfWork): Promise<number> => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    const faults = new DoesAt('C3', () => office.hold(accepted));
    await office.workflows({ unitOfWork, faults }).handle();
    return (await office.events(accepted, 'payment.requested')).length;
  };

  test('the look at holds: one that comes after the claim stops the payment', async () => {
    expect(await releasedThoughHeld(office.unitOfWork)).toBe(0);
  });

  test('guard removed: the look at holds. The payment is asked for', async () => {
    const blind = new DecoratedUnitOfWork(office.unitOfWork, {
      deals: () => ({ held: () => Promise.resolve(new Set<string>()) }),
    });
    expect(await releasedThoughHeld(blind)).toBe(1);
  });

  /** @returns how many payments are asked for of a contract that was amended after its order had begun */
  const releasedThoughAmended = async (unitOfWork: UnitOfWork): Promise<number> => {
    const base = await office.accept(CARD_AT_ONCE, ['seller']);
    await placeOrders();
    const charges = [{ type: 'freight', amount: '5.00' }] as const;
    const { negotiationId } = base.contract;
    const draft = { ...CARD_AT_ONCE, negotiationId, supersedes: base.contractId, charges } as const;
    const amendment = await office.accept(draft, ['seller']);
    // The operator lets the deal go on: by the amendment, not by what it has replaced.
    await office.releaseHolds(amendment);
    await office.workflows({ unitOfWork }).handle();
    return (await office.events(base, 'payment.requested')).length;
  };

  test('the look at what is current: of an amended contract nothing is asked for', async () => {
    expect(await releasedThoughAmended(office.unitOfWork)).toBe(0);
  });

  test('guard removed: the look at what is current. The payment of the replaced terms is asked for', async () => {
    const blind = new DecoratedUnitOfWork(office.unitOfWork, {
      settlements: (real) => ({
        lock: async (ids) => (await real.lock(ids)).map((settlement) => ({ ...settlement, current: true })),
      }),
    });
    expect(await releasedThoughAmended(blind)).toBe(1);
  });
});
