import { randomUUID } from 'node:crypto';
import type { CreateOutcome, OrderDraft, UnitOfWork } from '@v402/application';
import type { OrderPlacementState } from '@v402/domain';
import type { EmbeddedOrderSystem } from '@v402/order-systems';
import { DecoratedUnitOfWork, ScriptedOrderSystem } from '@v402/testing';
import { BackOffice, TIMING } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { orderBook, UNKNOWN } from '../support/placing.js';
import { DiesOnceAt, DoesAt, RecordedAlarms } from '../support/seams.js';

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

/** A contract of which one order is there and the other one waits, and the amendment that came then; the deal is held. */
async function amendedAfterStart(): Promise<{ base: AgreedTrade; amendment: AgreedTrade }> {
  const negotiationId = randomUUID();
  const base = await office.accept({ negotiationId });
  await office.orders(new ScriptedOrderSystem({ maxConcurrency: 1 })).handle();
  const charges = [{ type: 'freight', amount: '5.00' }] as const;
  const amendment = await office.accept({ negotiationId, supersedes: base.contractId, charges });
  return { base, amendment };
}

describe('holds and supersession', () => {
  test('a held deal: nothing is sent; it goes on once all holds are released', async () => {
    const accepted = await office.forSeller();
    await office.hold(accepted);
    const handler = office.orders(scripted);
    const before = await office.now();
    expect(await handler.handle()).toBe(1);
    expect(scripted.creates).toEqual([]);
    expect(await office.placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
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
    expect(await office.booked(base)).toEqual([]);
    expect(await office.placement(base)).toMatchObject({ state: 'superseded', attempt: 0 });

    await office.orders(embedded).handle();
    expect(await office.booked(base)).toMatchObject([{ kind: 'sales_order', total: '622' }]);
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
    expect((await office.placements(base)).map(({ state }) => state).sort()).toEqual(['created', 'waiting']);
    expect(alarms.take()).toEqual([]);
    const [waiting] = await office.work(base, 'order');
    expect(waiting).toMatchObject({ leaseUntil: null });
    expect(waiting!.dueAt).toBeGreaterThanOrEqual(before + BigInt(TIMING.holdRecheckMs) * 1_000n);
  });

  test('work of a contract that is no longer current sends nothing', async () => {
    const accepted = await office.forSeller();
    await office.sql(
      'UPDATE v402.settlement SET current = false WHERE contract_id = $1',
      Buffer.from(accepted.contractId, 'hex'),
    );
    await office.orders(scripted).handle();
    expect(scripted.creates).toEqual([]);
    expect(await office.placement(accepted)).toMatchObject({ state: 'waiting', attempt: 0 });
  });
});

/** Each guard in its place, and the same scene without it. */
describe('guards', () => {
  describe('the epoch of a claim', () => {
    /** @returns the order's state, as a late answer of the first claimant leaves it while the second one's call is under way */
    const lateAnswer = async (unitOfWork: UnitOfWork): Promise<OrderPlacementState> => {
      const accepted = await office.forSeller();
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
      const { state } = await office.placement(accepted);
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
      await office.forSeller();
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
      await office.forSeller();
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
      const accepted = await office.forSeller();
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
