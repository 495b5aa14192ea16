import type { StandingFigures } from '@v402/application';
import { EmbeddedOrderSystem } from '@v402/order-systems';
import { PgUnitOfWork } from '@v402/persistence';
import { v402 } from '../support/cli.js';
import { reconcile, ReconciliationScene } from '../support/reconciliation.js';
import type { SettlementScene } from '../support/settlement-scene.js';

/** Real: the standalone app, Kafka, PostgreSQL, the embedded order book, the command line. */
let reconciliation: ReconciliationScene;
let book: EmbeddedOrderSystem;
let run: ReconciliationScene['run'];
let scene: SettlementScene;

beforeAll(async () => {
  reconciliation = await ReconciliationScene.open();
  ({ book, run, scene } = reconciliation);
  await reconciliation.settle();
});

afterAll(() => reconciliation.close());

test('default: a clean system agrees, and everything was counted', async () => {
  const report = await run();
  expect(report).toMatchObject({ outcome: 'agrees', differences: [], unproven: [], attention: [] });
  const { counts } = report;
  expect(counts).toMatchObject({ acceptances: 5, settlements: 5, orders: 10, ordersFound: 10, refusals: 1 });
  expect(counts).toMatchObject({ messages: 7, messagesDecided: 7, inFlight: 0, eventsFound: counts.events });
  expect(counts.events).toBe(await scene.count('v402.event'));
});

test('behavior: a window holds what was accepted in it, its beginning included, its end not', async () => {
  const [first, second] = await scene.sql<{ at: string }>(
    'SELECT (extract(epoch FROM accepted_at) * 1000000)::bigint AS at FROM v402.settlement ORDER BY accepted_at',
  );
  const [from, to] = [BigInt(first!.at), BigInt(second!.at)];
  expect((await run({ from, to })).counts.settlements).toBe(from === to ? 0 : 1);
  const later = (await run({ from: to + 3_600_000_000n, to: to + 3_601_000_000n })).counts;
  expect(later).toMatchObject({ settlements: 0, earlierSettlements: 0 });
});

test('behavior: a window holds, of what was accepted before it, what had an event in it, its end not included', async () => {
  const [{ at, streams } = { at: '', streams: 0 }] = await scene.sql<{ at: string; streams: number }>(
    `SELECT (extract(epoch FROM occurred_at) * 1000000)::bigint AS at, count(*)::int AS streams FROM v402.event
     WHERE sequence IS NOT NULL GROUP BY occurred_at ORDER BY occurred_at DESC LIMIT 1`,
  );
  const last = BigInt(at);
  const { outcome, counts } = await run({ from: last, to: last + 1n });
  expect(outcome).toBe('agrees');
  // Of their events only these belong to the window.
  expect(counts).toMatchObject({ settlements: 0, earlierSettlements: streams, events: streams });
  expect(counts).toMatchObject({ orders: 2 * streams, ordersFound: 2 * streams });
  const next = (await run({ from: last + 1n, to: last + 2n })).counts;
  expect(next).toMatchObject({ settlements: 0, earlierSettlements: 0, events: 0 });
});

describe('v402 reconcile', () => {
  const window = ['--from', '2020-01-01T00:00:00Z'];

  test('prints what was compared; the exit status says whether it agrees', async () => {
    const env = scene.environment();
    const agreed = await v402(['reconcile', ...window, '--to', '2099-01-01T00:00:00Z', '--grace-seconds', '0'], {
      env,
    });
    expect(agreed).toMatchObject({ status: 0, stderr: '' });
    expect(agreed.stdout).toMatch(/^Everything agrees\.[\s\S]*10 of 10 in the order system/);

    const set = (by: number): Promise<unknown> =>
      scene.sql(`UPDATE v402.settlement SET total = total + ${by} WHERE currency = 'EUR'`);
    await set(1);
    const differs = await v402(['reconcile', ...window, '--to', '2099-01-01T00:00:00Z', '--json'], { env });
    await set(-1);
    expect(differs.status).toBe(1);
    expect(JSON.parse(differs.stdout)).toMatchObject({
      outcome: 'differs',
      differencesByCode: { settlement_total_differs: 5 },
    });
  });

  test('a part that is away is never agreement', async () => {
    const env = { ...scene.environment(), V402_KAFKA_BROKERS: '127.0.0.1:1' };
    const away = await v402(['reconcile', ...window, '--to', '2099-01-01T00:00:00Z'], { env });
    expect(away.status).toBe(3);
    expect(away.stdout).toContain('topic_unread');
    const noDatabase = { ...scene.environment(), V402_DATABASE_URL: 'postgresql://u:hidden@127.0.0.1:1/v402' };
    const gone = await v402(['reconcile', ...window, '--to', '2099-01-01T00:00:00Z'], { env: noDatabase });
    expect(gone).toMatchObject({ status: 3, stdout: '' });
    expect(gone.stderr).toMatch(/^database_unavailable: /);
  });

  test.each([[[]], [['--from', '2026-01-01T00:00:00Z']], [['--from', 'yesterday', '--to', '2026-01-01T00:00:00Z']]])(
    'without a window it is wrong usage: %j',
    async (args) => {
      const { status, stderr } = await v402(['reconcile', ...args], { env: scene.environment() });
      expect(status).toBe(2);
      expect(stderr).not.toBe('');
    },
  );
});

describe('on a schedule', () => {
  const runs = (): Promise<number> => scene.count('v402.reconciliation');
  const idle = async (): Promise<boolean> =>
    (await scene.count("v402.job WHERE name = 'reconciliation' AND lease_until IS NULL")) === 1;
  /** Has the app run its job now, and waits for its end: one that still ran would set the next time over this one. */
  const runNow = async (): Promise<void> => {
    await scene.until('the run before has ended', idle);
    const before = await runs();
    await scene.sql("UPDATE v402.job SET due_at = clock_timestamp() WHERE name = 'reconciliation'");
    await scene.until('another run', async () => (await runs()) > before && (await idle()));
  };
  const figures = async (): Promise<StandingFigures['reconciliation']> => {
    const unitOfWork = new PgUnitOfWork({ url: scene.database.appUrl, applicationName: 'test' });
    try {
      return (await unitOfWork.run((tx) => tx.backlog.figures())).reconciliation;
    } finally {
      await unitOfWork.close();
    }
  };

  test('runs by itself, keeps its result, and shows the last', async () => {
    await runNow();
    const { status, stdout } = await v402(['reconcile', '--last'], { env: scene.environment() });
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Everything agrees/) as string,
    });
    const { differences, agreedAgeMs } = await figures();
    expect([...differences]).toEqual([]);
    expect(agreedAgeMs).toBeGreaterThan(0);
    expect(scene.log()).not.toContain('reconciliation_differs');
  });

  test('a difference raises an alarm, is a figure by its code, and is gone once it is mended', async () => {
    const set = (by: number): Promise<unknown> =>
      scene.sql(`UPDATE v402.settlement SET total = total + ${by} WHERE current`);
    await set(1);
    await runNow();
    await scene.untilSaid(/"alarm":"reconciliation_differs".*"codes":"settlement_total_differs=5"/);
    expect([...(await figures()).differences]).toEqual([['settlement_total_differs', 5]]);
    expect((await v402(['reconcile', '--last'], { env: scene.environment() })).status).toBe(1);
    await set(-1);
    await runNow();
    expect([...(await figures()).differences]).toEqual([]);
  });

  test('windows follow each other without a gap, also after an outage; one that proved nothing does not count', async () => {
    const windows = await scene.sql<{ from: Date; to: Date }>(
      'SELECT window_from AS "from", window_to AS "to" FROM v402.reconciliation ORDER BY id',
    );
    for (const [index, { from }] of windows.entries()) {
      if (index > 0) expect(from.getTime()).toBeLessThanOrEqual(windows[index - 1]!.to.getTime());
    }
    const shift = (days: number): Promise<unknown> =>
      scene.sql(
        `UPDATE v402.reconciliation
         SET window_from = window_from + interval '${days} days', window_to = window_to + interval '${days} days'`,
      );
    const ran = (from: string, to: string, unproven: string): Promise<unknown> =>
      scene.sql(
        `INSERT INTO v402.reconciliation (window_from, window_to, outcome, differences, by_code, report, started_at, finished_at)
         SELECT now() + interval '${from}', now() + interval '${to}', 'differs', 1, '{}', $1, now(), now()`,
        [JSON.stringify({ unproven: unproven === '' ? [] : [{ code: unproven }] })],
      );
    await shift(-5);
    // Of no use: it differs, and a topic was not read. Of use, but behind a gap; what is gone for good is no gap.
    await ran('-5 days', '0', 'topic_unread');
    await ran('-80 hours', '-40 hours', '');
    await ran('-41 hours', '-20 hours', 'events_not_retained');
    const [{ id } = { id: '' }] = await scene.sql<{ id: string }>('SELECT max(id) AS id FROM v402.reconciliation');
    const caughtUp = (): Promise<{ hours: number; gap: number }[]> =>
      scene.sql(
        `SELECT round(extract(epoch FROM window_to - window_from) / 3600)::int AS hours,
           extract(epoch FROM window_from - lag(window_to) OVER (ORDER BY id))::int AS gap
         FROM v402.reconciliation WHERE id > $1 ORDER BY id`,
        [id],
      );
    await runNow();
    await scene.until('caught up', async () => (await caughtUp()).length === 3);
    // Two days from the shifted run to the one behind the gap, and the last day again.
    const days = await caughtUp();
    expect(days.map(({ hours }) => hours)).toEqual([24, 24, 24]);
    expect(days[1]!.gap).toBe(0);
    expect(Math.round(days[2]!.gap / 3600)).toBe(48);
  });
});

describe('error: what could not be looked at', () => {
  test('a topic that is away is never taken for agreement', async () => {
    const [{ from } = { from: '0' }] = await scene.sql<{ from: string }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 1 AS from',
    );
    const report = await reconcile(
      { databaseUrl: scene.database.appUrl, brokers: ['127.0.0.1:1'], prefix: scene.prefix, system: book },
      { from: BigInt(from), to: BigInt(from) + 1n },
    );
    expect(report.outcome).toBe('unproven');
    expect(report.unproven.map(({ code, detail }) => [code, detail])).toEqual(
      Array(5).fill(['topic_unread', 'broker_unavailable']),
    );
  });

  test('an order system that is away', async () => {
    const away = new EmbeddedOrderSystem({ url: 'postgresql://nobody@127.0.0.1:1/none' });
    const report = await reconcile({
      ...{ databaseUrl: scene.database.appUrl, brokers: scene.brokers, prefix: scene.prefix, system: away },
    });
    await away.close();
    expect(report.unproven).toMatchObject([{ code: 'order_system_unread', subject: 'embedded' }]);
    expect(report.counts.ordersFound).toBe(0);
  });
});
