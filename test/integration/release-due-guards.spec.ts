import type { UnitOfWork } from '@v402/application';
import { sumDecimals } from '@v402/domain';
import { DecoratedUnitOfWork } from '@v402/testing';
import { BackOffice, CARD_AT_ONCE } from '../support/back-office.js';
import { DiesOnceAt, DoesAt, StopsAt } from '../support/seams.js';

/** Nothing is asked for twice, or against a hold. Real: PostgreSQL, intake, the placing of orders, in a system in memory. */
let office: BackOffice;

beforeAll(async () => {
  office = await BackOffice.open();
});
beforeEach(() => office.dropWork());
afterAll(() => office.close());

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

describe('exactly once', () => {
  test('redelivered work asks for nothing a second time', async () => {
    const accepted = await office.accept({ ...CARD_AT_ONCE, delivery: SOON }, ['seller']);
    await office.placeOrders();
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
    const second = new StopsAt('C3', 2);
    const one = office.workflows({ owner: 'one', batchSize: 30, faults: first }).handle();
    await first.reached;
    await office.endLeases();
    const two = office.workflows({ owner: 'two', batchSize: 30, faults: second });
    const both = [two.handle(), two.handle()];
    await second.reached;
    // What the first still takes for its own is all claimed by the second.
    first.release();
    second.release();
    await Promise.all([one, ...both]);
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
    expect(await office.legs(accepted)).toMatchObject([{ state: 'waiting', dueDate: null }]);
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
    await office.placeOrders();
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
    await office.placeOrders();
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
