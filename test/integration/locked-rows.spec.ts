import { PgUnitOfWork } from '@v402/persistence';
import { ScriptedOrderSystem } from '@v402/testing';
import pg from 'pg';
import { BackOffice } from '../support/back-office.js';
import { agreed, type AgreedTrade } from '../support/intake-scene.js';
import { DoesAt, RecordedAlarms, RecordedWake } from '../support/seams.js';

/**
 * Rows that somebody else keeps locked, as a forgotten BEGIN in a client does, or that the database cannot read: only
 * what they belong to waits. Real: PostgreSQL.
 */
let office: BackOffice;
let unitOfWork: PgUnitOfWork;
let somebody: pg.Client;
let alarms: RecordedAlarms;

beforeEach(async () => {
  office = await BackOffice.open();
  alarms = new RecordedAlarms();
  unitOfWork = new PgUnitOfWork({
    url: office.database.appUrl,
    applicationName: 'test',
    lockTimeoutMs: 50,
  });
  somebody = new pg.Client({ connectionString: office.database.adminUrl });
  await somebody.connect();
});

afterEach(async () => {
  await somebody.end();
  await unitOfWork.close();
  await office.close();
});

const keyOf = ({ contractId }: AgreedTrade): Buffer => Buffer.from(contractId, 'hex');

const lockSettlement = async (trade: AgreedTrade): Promise<void> => {
  await somebody.query('BEGIN');
  await somebody.query('UPDATE v402.settlement SET total = total WHERE contract_id = $1', [keyOf(trade)]);
};

/** The database fails whenever a settlement's row of the given table is written, as it does where a page is damaged. */
const damage = async (table: string, trade: AgreedTrade): Promise<void> => {
  await office.sql(`
    CREATE FUNCTION v402.damaged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.contract_id = '\\x${trade.contractId}' THEN RAISE 'invalid page' USING ERRCODE = 'data_corrupted'; END IF;
      RETURN NEW;
    END $$`);
  await office.sql(
    `CREATE TRIGGER damaged BEFORE UPDATE ON v402.${table} FOR EACH ROW EXECUTE FUNCTION v402.damaged()`,
  );
};

const statesOf = (trades: readonly AgreedTrade[]): Promise<string[]> =>
  Promise.all(trades.map((trade) => office.settlementState(trade)));

const PAID_ON_ORDER = { payment: [{ rail: 'sepa', trigger: 'ordered', percent: '100', days: 0 }] } as const;

/** Three whose payments are due, and the accounts to pay into. */
const threeDue = async (): Promise<AgreedTrade[]> => {
  const trades = await office.acceptAll([PAID_ON_ORDER, PAID_ON_ORDER, PAID_ON_ORDER], ['seller']);
  await office.orders(new ScriptedOrderSystem()).handle();
  return trades;
};

const released = (trades: readonly AgreedTrade[]): Promise<number[]> =>
  Promise.all(trades.map(async (trade) => (await office.eventTypes(trade, 'payment.requested')).length));

const BROKEN = [
  { what: 'locked', breakOne: lockSettlement, reason: 'lock_timeout' },
  { what: 'damaged', breakOne: (trade: AgreedTrade) => damage('payment_leg', trade), reason: 'database_error' },
] as const;

describe('payments that are due', () => {
  test.each(BROKEN)('of one whose rows are $what: it is put off and said, the others are asked for', async (broken) => {
    const trades = await threeDue();
    await broken.breakOne(trades[1]!);
    await office.workflows({ unitOfWork, alarms }).handle();
    expect(await released(trades)).toEqual([1, 0, 1]);
    expect(
      new Set(alarms.take().map(({ code, context }) => `${code} ${context['contractId']} ${context['reason']}`)),
    ).toEqual(new Set([`release_failed ${trades[1]!.contractId} ${broken.reason}`]));
    const [waiting] = await office.work(trades[1]!, 'payment_leg');
    expect(waiting!.leaseUntil).toBeNull();
    expect(waiting!.dueAt > (await office.now())).toBe(true);
  });

  test('all that is due of one that is locked waits for it once, and the others are asked for', async () => {
    const legs = Array.from({ length: 20 }, (_, index) => ({
      ...PAID_ON_ORDER.payment[0],
      legId: `p${index + 1}`,
      percent: '5',
    }));
    const trades = await office.acceptAll([{ payment: legs }, PAID_ON_ORDER], ['seller']);
    await office.orders(new ScriptedOrderSystem()).handle();
    await lockSettlement(trades[0]!);
    await office.workflows({ unitOfWork, alarms }).handle();
    expect(await released(trades)).toEqual([0, 1]);
  });

  test('behavior: what was put off is asked for when its lock has ended', async () => {
    const trades = await threeDue();
    await lockSettlement(trades[1]!);
    const workflows = office.workflows({ unitOfWork, alarms });
    await workflows.handle();
    await somebody.query('ROLLBACK');
    await office.makeDue();
    await workflows.handle();
    expect(await released(trades)).toEqual([1, 1, 1]);
  });
});

describe('orders', () => {
  test('whose settlement is locked before the intent: it is put off, the others are placed', async () => {
    const trades = await office.acceptAll([{}, {}, {}], ['seller']);
    await lockSettlement(trades[1]!);
    const system = new ScriptedOrderSystem();
    await office.orders(system, { unitOfWork, alarms }).handle();
    expect(await statesOf(trades)).toEqual(['ordered', 'accepted', 'ordered']);
    expect(alarms.take()).toEqual([
      {
        code: 'settlement_not_readable',
        context: { contractId: trades[1]!.contractId, side: 'seller', reason: 'lock_timeout' },
      },
    ]);

    await somebody.query('ROLLBACK');
    await office.makeDue();
    await office.orders(system, { unitOfWork, alarms }).handle();
    expect(await statesOf(trades)).toEqual(['ordered', 'ordered', 'ordered']);
  });

  test.each([
    { what: 'locked', breakOne: lockSettlement, reason: 'lock_timeout' },
    {
      what: 'damaged',
      breakOne: (trade: AgreedTrade) => damage('order_placement', trade),
      reason: 'database_error',
    },
  ])('whose outcome cannot be written, since its rows are $what: the others’ are', async ({ breakOne, reason }) => {
    const trades = await office.acceptAll([{}, {}, {}], ['seller']);
    let broken: Promise<void> | undefined;
    const faults = new DoesAt('C5', () => (broken ??= breakOne(trades[1]!)));
    const system = new ScriptedOrderSystem();
    await office.orders(system, { unitOfWork, alarms, faults }).handle();
    expect(await statesOf(trades)).toEqual(['ordered', 'ordering', 'ordered']);
    expect(alarms.take()).toEqual([
      { code: 'outcome_not_recordable', context: { contractId: trades[1]!.contractId, side: 'seller', reason } },
    ]);
    expect(await office.work(trades[1]!, 'order')).toMatchObject([{ leaseUntil: null, attempts: 0 }]);

    await somebody.query('ROLLBACK');
    await office.sql('DROP TRIGGER IF EXISTS damaged ON v402.order_placement');
    await office.sql('UPDATE v402.order_placement SET look_up_not_before = NULL');
    await office.makeDue();
    await office.orders(system, { unitOfWork, alarms }).handle(); // nobody knows its outcome any more
    await office.sql("UPDATE v402.order_placement SET look_up_not_before = clock_timestamp() WHERE state = 'unknown'");
    await office.makeDue();
    await office.orders(system, { unitOfWork, alarms }).handle(); // it is looked up
    expect(await statesOf(trades)).toEqual(['ordered', 'ordered', 'ordered']);
    expect(system.creates).toHaveLength(3);
  });
});

describe('the sweep', () => {
  test('of one whose rows are locked: it is left and said, the work of the others is added', async () => {
    const trades = await office.acceptAll([{}, {}, {}], ['seller']);
    await office.dropWork();
    await lockSettlement(trades[1]!);
    const wake = new RecordedWake();
    const sweep = (): Promise<unknown> =>
      office.sweeper({ unitOfWork, wake, alarms }).handle(new AbortController().signal);
    const workOf = (): Promise<number[]> =>
      Promise.all(trades.map(async (trade) => (await office.work(trade, 'order')).length));
    await sweep();
    expect(await workOf()).toEqual([1, 0, 1]);
    expect(alarms.take()).toEqual([
      { code: 'stuck_work_left', context: { contractId: trades[1]!.contractId, reason: 'lock_timeout' } },
      { code: 'stuck_work_restored', context: { order: 2 } },
    ]);
    expect(wake.hints).toEqual(['orders', 'workflows']);

    await somebody.query('ROLLBACK');
    await sweep();
    expect(await workOf()).toEqual([1, 1, 1]);
  });
});

describe('intake', () => {
  /** How often a message waits for a lock before it is parked. */
  const LAST_WAIT = 15;

  const acceptedOf = (trades: readonly AgreedTrade[]): Promise<number[]> =>
    Promise.all(trades.map(async ({ contractId }) => (await office.scene.of('settlement', contractId)).length));

  const lockDeal = async (trade: AgreedTrade): Promise<void> => {
    await somebody.query('BEGIN');
    await somebody.query(
      `SELECT FROM v402.deal d JOIN v402.settlement s ON s.deal_key = d.key WHERE s.contract_id = $1 FOR UPDATE`,
      [keyOf(trade)],
    );
  };

  /** Three messages, the second of a deal that somebody has locked. */
  const threeWithOneLocked = async (name: string) => {
    const trades = [1, 2, 3].map((number) => agreed({ negotiationId: `${name}-${number}` }));
    const base = trades[1]!;
    await office.scene.handle(base.envelope);
    await lockDeal(base);
    const again = agreed({ negotiationId: `${name}-2`, extensions: { 'com.example.variant': 'other' } });
    const intake = office.scene.handlerWith({ unitOfWork });
    const values = [trades[0]!, again, trades[2]!];
    const messages = values.map(({ envelope }, offset) =>
      office.scene.message(envelope, { coordinates: { topic: 'contracts', partition: 7, offset: BigInt(offset) } }),
    );
    return { first: trades[0]!, last: trades[2]!, again, take: () => intake.handle(messages) };
  };

  test('of a deal that is locked: what came before is decided, and it goes on when the lock has ended', async () => {
    const { first, last, take } = await threeWithOneLocked('passing');
    await expect(take()).rejects.toMatchObject({ kind: 'retryable', code: 'lock_timeout' });
    expect(await acceptedOf([first, last])).toEqual([1, 0]);
    await somebody.query('ROLLBACK');
    expect(await take()).toMatchObject({ accepted: 1, duplicates: 1, quarantined: 1, undecidable: 0 });
  });

  test('of a deal that stays locked: parked in the end, so that the partition goes on', async () => {
    const { first, last, again, take } = await threeWithOneLocked('staying');
    for (let waits = 1; waits < LAST_WAIT; waits += 1) {
      await expect(take()).rejects.toMatchObject({ code: 'lock_timeout' });
    }
    expect(office.scene.alarms.take()).toEqual([]);
    expect(await take()).toMatchObject({ accepted: 1, duplicates: 1, undecidable: 1 });
    expect(await acceptedOf([first, last, again])).toEqual([1, 1, 0]);
    expect(office.scene.alarms.take()).toMatchObject([
      { code: 'undecidable_message', context: { reason: 'lock_timeout' } },
    ]);
  });
});
