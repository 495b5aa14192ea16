import type { SweepHandler, SweepReport } from '@v402/application';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { anEvent, sha256 } from '../support/records.js';
import { RecordedAlarms, RecordedWake, StopsAt } from '../support/seams.js';

/** Real: PostgreSQL, intake, orders and workflows. Times are moved, never waited for. */
let office: BackOffice;
let alarms: RecordedAlarms;
let wake: RecordedWake;
let sweeper: SweepHandler;

const going = new AbortController().signal;

const newSweeper = (): SweepHandler => office.sweeper({ wake, alarms });

beforeEach(async () => {
  office = await BackOffice.open();
  alarms = new RecordedAlarms();
  wake = new RecordedWake();
  sweeper = newSweeper();
});
afterEach(() => office.close());

const sweep = (): Promise<SweepReport> => sweeper.handle(going);
const restored = async (): Promise<Record<string, number>> => Object.fromEntries((await sweep()).restored);
const key = ({ contractId }: AgreedTrade): Buffer => Buffer.from(contractId, 'hex');

/** Every row of the settlements' own tables and of the work, to be compared. */
const everything = (): Promise<unknown[]> =>
  office.sql(`
    SELECT 'order' AS what, to_jsonb(o) AS row FROM v402.order_placement o
    UNION ALL SELECT 'leg', to_jsonb(l) FROM v402.payment_leg l
    UNION ALL SELECT 'delivery', to_jsonb(d) FROM v402.delivery d
    UNION ALL SELECT 'settlement', to_jsonb(s) FROM v402.settlement s
    UNION ALL SELECT 'work', to_jsonb(w) FROM v402.work w
    UNION ALL SELECT 'event', jsonb_build_object('id', e.id) FROM v402.event e
    ORDER BY 1, 2`);

const PAID_ON_ORDER = { payment: [{ rail: 'sepa', trigger: 'ordered', percent: '100', days: 14 }] } as const;

describe('missing work is added again', () => {
  test('of an order that nobody has asked for: it is placed', async () => {
    const trade = await office.accept({}, ['seller']);
    await office.dropWork();
    expect(await restored()).toMatchObject({ order: 1 });
    expect(await office.work(trade, 'order')).toMatchObject([{ side: 'seller', attempts: 0, leaseUntil: null }]);
    expect(wake.hints).toEqual(['orders', 'workflows']);
    const system = new ScriptedOrderSystem();
    expect(await office.orders(system).handle()).toBe(1);
    expect(await office.eventTypes(trade, 'order.')).toEqual(['order.created.v1']);
  });

  test('of an order whose call may be under way: not before the longest call has ended', async () => {
    const trade = await office.accept({}, ['seller']);
    await office.sql("UPDATE v402.order_placement SET state = 'placing', attempt = 1");
    await office.dropWork();
    const before = await office.now();
    expect(await restored()).toMatchObject({ order: 1 });
    const [work] = await office.work(trade, 'order');
    expect(work!.dueAt - before).toBeGreaterThanOrEqual(60_000_000n);
  });

  test('of an order of unknown outcome: not before it may be looked up', async () => {
    const trade = await office.accept({}, ['seller']);
    await office.sql(
      "UPDATE v402.order_placement SET state = 'unknown', attempt = 1, look_up_not_before = '2030-01-01T00:00:00Z'",
    );
    await office.dropWork();
    expect(await restored()).toMatchObject({ order: 1 });
    expect(await office.work(trade, 'order')).toMatchObject([{ dueAt: BigInt(Date.UTC(2030, 0, 1)) * 1000n }]);
  });

  test('of legs and deliveries whose order exists: the deliveries in good time, and each is asked for once', async () => {
    const trade = await office.accept(PAID_ON_ORDER, ['seller']);
    await office.orders(new ScriptedOrderSystem()).handle();
    const before = (await office.work(trade)).map(({ kind, subject, dueAt }) => ({ kind, subject, dueAt }));
    await office.dropWork();
    const legs = before.filter(({ kind }) => kind === 'payment_leg').length;
    const deliveries = before.filter(({ kind }) => kind === 'delivery');
    expect(await restored()).toEqual({ payment_leg: legs, delivery: deliveries.length });
    expect(await office.work(trade, 'delivery')).toMatchObject(deliveries);
    await office.makeDue();
    await office.workflows().handle();
    await office.dropWork();
    const requests = (await office.eventTypes(trade, '')).filter((type) => type.includes('.requested.'));
    expect(await restored()).toEqual({ payment_leg: legs });
    await office.makeDue();
    await office.workflows().handle();
    expect((await office.eventTypes(trade, '')).filter((type) => type.includes('.requested.'))).toEqual(requests);
  });

  test('of more settlements than one transaction takes, each once', async () => {
    const trades = await office.acceptAll(
      Array.from({ length: 7 }, () => ({})),
      ['seller'],
    );
    await office.dropWork();
    expect(await restored()).toMatchObject({ order: 7 });
    for (const trade of trades) expect(await office.work(trade, 'order')).toHaveLength(1);
    expect(alarms.take()).toMatchObject([{ code: 'stuck_work_restored', context: { order: 7 } }]);
    expect(await restored()).toEqual({});
    expect(alarms.raised).toEqual([]);
  });
});

describe('what is no fault is left alone', () => {
  test('a deal on hold: its hold explains it, and once that is released the work is missed', async () => {
    const trade = await office.accept({}, ['seller']);
    await office.hold(trade);
    await office.dropWork();
    expect(await restored()).toEqual({});
    await office.releaseHolds(trade);
    expect(await restored()).toMatchObject({ order: 1 });
  });

  test('a leg that waits for a delivery, and rows of a contract that is not current', async () => {
    const waiting = await office.accept(
      { payment: [{ rail: 'invoice', trigger: 'delivered', percent: '100', days: 30 }] },
      ['seller'],
    );
    const old = await office.accept({}, ['seller']);
    await office.sql('UPDATE v402.settlement SET current = false WHERE contract_id = $1', key(old));
    await office.sql('DELETE FROM v402.work WHERE contract_id = $1', key(old));
    expect(await restored()).toEqual({});
    expect(await office.work(waiting, 'payment_leg')).toEqual([]);
  });

  test('a leg that a person has to decide: only a missing account goes on by itself', async () => {
    const trade = await office.accept(PAID_ON_ORDER, ['seller']);
    await office.orders(new ScriptedOrderSystem()).handle();
    await office.sql("UPDATE v402.payment_leg SET state = 'blocked', code = 'exceeds_total'");
    await office.sql("DELETE FROM v402.work WHERE kind = 'payment_leg'");
    expect(await restored()).toEqual({});
    await office.sql("UPDATE v402.payment_leg SET code = 'creditor_account_missing'");
    expect(Object.keys(await restored())).toEqual(['payment_leg']);
    expect(await office.work(trade, 'payment_leg')).toHaveLength(1);
  });

  test('work that is alive at any stage: sweeping beside it changes nothing', async () => {
    await office.acceptAll([PAID_ON_ORDER, {}, PAID_ON_ORDER]);
    const steps = [
      () => Promise.resolve(0),
      () => office.orders(new ScriptedOrderSystem()).handle(),
      () => office.makeDue(),
      () => office.workflows().handle(),
    ];
    for (const step of steps) {
      await step();
      const before = await everything();
      expect(await restored()).toEqual({});
      expect(await restored()).toEqual({});
      expect(await everything()).toEqual(before);
    }
  });

  test('an order between its claim and its outcome: whoever holds it finishes it', async () => {
    const trade = await office.accept({}, ['seller']);
    const faults = new StopsAt('C5');
    const placing = office.orders(new ScriptedOrderSystem(), { faults }).handle();
    await faults.reached;
    expect(await restored()).toEqual({});
    faults.release();
    await placing;
    expect(await restored()).toEqual({});
    expect(await office.eventTypes(trade, 'order.')).toEqual(['order.created.v1']);
  });

  test('a settlement that somebody works on while the sweep looks: it waits for the lock and looks again', async () => {
    const trade = await office.accept({}, ['seller']);
    const work = await office.sql<{ id: string }>('DELETE FROM v402.work RETURNING *');
    expect(work).not.toEqual([]);
    const isLocked = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const working = office.unitOfWork.run(async (tx) => {
      await tx.settlements.lock([trade.contractId]);
      isLocked.resolve(undefined);
      await goOn.promise;
      const row = { contractId: trade.contractId, side: 'seller', dueAt: undefined } as const;
      await tx.work.add([{ ...row, kind: 'order', subjectId: '' }]);
    });
    await isLocked.promise;
    const swept = restored();
    await office.scene.untilWaiting('intake');
    goOn.resolve(undefined);
    await working;
    expect((await swept)['order']).toBeUndefined();
    expect(await office.work(trade, 'order')).toHaveLength(1);
  });
});

describe('what only a person can set going is said, once as long as it lasts', () => {
  const codes = async (): Promise<string[]> => {
    const { findings } = await sweep();
    const found = findings.map(({ code }) => code);
    const said = alarms.take().map(({ code }) => code);
    expect(said).toEqual(found);
    await sweep();
    expect(alarms.take()).toEqual([]);
    return found;
  };

  test('nothing at all where nothing stands still', async () => {
    await office.accept();
    expect(await codes()).toEqual([]);
  });

  test.each([
    ['never claimed', "due_at = clock_timestamp() - interval '6 minutes'"],
    [
      'claimed by somebody who died',
      "due_at = clock_timestamp() - interval '6 minutes', lease_until = clock_timestamp() - interval '5 minutes', leased_by = 'dead'",
    ],
  ])('overdue work, %s', async (_, change) => {
    await office.accept({}, ['seller']);
    await office.sql(`UPDATE v402.work SET ${change} WHERE kind = 'order'`);
    expect(await codes()).toEqual(['work_overdue']);
    await office.sql("UPDATE v402.work SET lease_until = clock_timestamp() + interval '1 minute', leased_by = 'alive'");
    expect(await codes()).toEqual([]);
  });

  test('events that nobody publishes, and shards without an owner', async () => {
    const stream = sha256('old');
    const longAgo = (await office.now()) - 600_000_000n;
    await office.unitOfWork.run((tx) => tx.events.append([anEvent(stream, { occurredAt: longAgo })]));
    expect(await codes()).toEqual(['events_overdue', 'shards_unowned']);
    await office.unitOfWork.run((tx) => tx.events.leaseShards('relay', 60_000));
    sweeper = newSweeper();
    expect(await codes()).toEqual(['events_overdue']);
    await office.sql(
      "INSERT INTO v402.parked_stream (stream, event_id, code) SELECT stream, event_id, 'record_too_large' FROM v402.outbox",
    );
    sweeper = newSweeper();
    expect(await codes()).toEqual(['streams_parked']);
  });

  test('orders of which it is not known for long whether they exist, though they are looked up again and again', async () => {
    await office.accept({}, ['seller']);
    const unknownSince = (ago: string): Promise<unknown> =>
      office.sql(
        `UPDATE v402.order_placement
         SET state = 'unknown', attempt = 1, look_up_not_before = clock_timestamp() - interval '${ago}'`,
      );
    await unknownSince('4 minutes');
    expect(await codes()).toEqual([]);
    await unknownSince('6 minutes');
    expect(await codes()).toEqual(['order_outcome_overdue']);
  });

  test('payments and deliveries that are blocked, by kind and code; those of replaced contracts are over', async () => {
    const trade = await office.accept(PAID_ON_ORDER, ['seller']);
    await office.sql("UPDATE v402.payment_leg SET state = 'blocked', code = 'exceeds_total'");
    await office.sql("UPDATE v402.delivery SET state = 'blocked', code = 'exceeds_quantity'");
    const { findings } = await sweep();
    expect(new Set(findings.map(({ code, context }) => ({ code, context })))).toEqual(
      new Set([
        { code: 'obligations_blocked', context: { kind: 'payment_leg', reason: 'exceeds_total', open: 1 } },
        { code: 'obligations_blocked', context: { kind: 'delivery', reason: 'exceeds_quantity', open: 1 } },
      ]),
    );
    expect(alarms.take().map(({ code }) => code)).toEqual(['obligations_blocked', 'obligations_blocked']);
    await sweep();
    expect(alarms.take()).toEqual([]);
    await office.sql('UPDATE v402.settlement SET current = false WHERE contract_id = $1', key(trade));
    expect(await codes()).toEqual([]);
  });

  test('cases that are a hold alone: as long as nobody has decided them', async () => {
    await office.accept({}, ['seller']);
    const system = new ScriptedOrderSystem();
    system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: 'No.' });
    await office.orders(system).handle();
    const base = await office.accept({}, ['seller']);
    await office.orders(new ScriptedOrderSystem()).handle();
    const { negotiationId } = base.contract;
    const charges = [{ type: 'freight', amount: '5.00' }] as const;
    await office.accept({ negotiationId, supersedes: base.contractId, charges }, ['seller']);
    await office.dropWork();
    expect(await codes()).toEqual([]);

    await office.sql("UPDATE v402.hold SET placed_at = placed_at - interval '25 hours'");
    const { findings } = await sweep();
    expect(findings.map(({ code, context }) => `${code} ${String(context['reason'])}`).sort()).toEqual([
      'quarantine_unattended amendment_after_start',
      'quarantine_unattended order_rejected',
    ]);
    const cases = await office.unitOfWork.run((tx) => tx.cases.list({}));
    const figures = await office.unitOfWork.run((tx) => tx.backlog.figures());
    expect([...figures.quarantine].map(([reason, { open }]) => [reason, open]).sort()).toEqual(
      cases.map(({ reason }) => [reason, 1]).sort(),
    );
    alarms.take();

    await office.sql("UPDATE v402.hold SET resolution = 'reject'");
    expect(await codes()).toEqual([]);
  });

  test('entries of the quarantine that nobody has decided for long', async () => {
    const trade = await office.accept({}, ['seller']);
    await office.sql(
      `INSERT INTO v402.quarantine (id, reason, code, contract_id, side, quarantined_at)
       VALUES (gen_random_uuid(), 'order_mismatch', 'order_differs', $1, 'seller', clock_timestamp() - interval '25 hours')`,
      key(trade),
    );
    expect(await codes()).toEqual(['quarantine_unattended']);
    await office.sql(
      "UPDATE v402.quarantine SET resolution = 'reject', resolved_by = 'somebody', resolved_at = clock_timestamp()",
    );
    expect(await codes()).toEqual([]);
  });
});
