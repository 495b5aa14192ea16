import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DEFAULT_TOPICS } from '@v402/events';
import { BackOffice, DELIVERY_LEAD_DAYS, TIMING } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { until } from '../support/until.js';

/** Real: processes, their deaths, PostgreSQL, intake, the embedded order book. */
let office: BackOffice;
const children = new Set<ChildProcess>();

/** A process that lives has as long as it takes: it never doubts, however slow the machine. */
const PATIENT = { ...TIMING, backoff: { firstMs: 50, maxMs: 200 } };
/** What a process that dies leaves behind waits for its lease, and for the end of the call that it intended. */
const MORTAL = { ...PATIENT, leaseMs: 8_000, leaseMarginMs: 800, callTimeoutMs: 7_000 };
const CONTEXT = {
  naming: { source: 'urn:v402:handler:test', topics: DEFAULT_TOPICS },
  deliveryLead: { days: DELIVERY_LEAD_DAYS },
  orderSystem: { name: 'embedded', serverTimeoutMs: 200 },
};

beforeEach(async () => {
  office = await BackOffice.open();
});

afterEach(async () => {
  await Promise.all(
    [...children].map(async (child) => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }),
  );
  await office.close();
});

/** A process that is ready to place orders and waits for the word. */
const startChild = async (death?: { at: string; count: number }): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'place-orders.child.mjs')], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      V402_TEST_APP_URL: office.database.appUrl,
      V402_TEST_ORDERBOOK_URL: office.database.orderbookUrl,
      V402_TEST_CONTEXT: JSON.stringify({ ...CONTEXT, timing: death === undefined ? PATIENT : MORTAL }),
      V402_TEST_DIES_AT: death?.at,
      V402_TEST_DIES_COUNT: String(death?.count ?? 0),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  await once(child.stdout, 'data');
  return child;
};

const go = (...processes: readonly ChildProcess[]): void => {
  for (const { stdin } of processes) stdin!.write('go\n');
};

const count = async (sql: string): Promise<number> =>
  (await office.sql<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`))[0]!.n;

const allPlaced = (): Promise<void> =>
  until(async () => (await count("v402.work WHERE kind = 'order'")) === 0, { everyMs: 50 });

/** Exactly one order and one `order.created` for each side of each settlement, and they agree on the number. */
const expectOneOrderEach = async (settlements: readonly AgreedTrade[]): Promise<void> => {
  const expected = settlements.length * 2;
  expect(await count('orderbook.order_head')).toBe(expected);
  expect(await count("v402.event WHERE type = 'org.v402.order.created.v1'")).toBe(expected);
  const announced = `
    (SELECT DISTINCT convert_from(bytes, 'UTF8')::jsonb->'data'->>'orderNumber' AS number,
       convert_from(bytes, 'UTF8')::jsonb->'data'->>'kind' AS kind, stream
     FROM v402.event WHERE type = 'org.v402.order.created.v1') e`;
  const agreeing = `${announced} JOIN orderbook.order_head o
    ON o.order_number = e.number AND o.kind = e.kind AND o.contract_id = e.stream
    JOIN v402.order_placement p
    ON p.contract_id = e.stream AND p.order_number = e.number AND p.state = 'created'`;
  expect(await count(agreeing)).toBe(expected);
  expect(await count("v402.settlement WHERE state <> 'ordered'")).toBe(0);
};

const accept = (howMany: number): Promise<AgreedTrade[]> =>
  office.acceptAll(Array.from({ length: howMany }, () => ({})));

test('two processes at once: exactly one order a side, one event each, and nobody ever doubts', async () => {
  const settlements = await accept(200);
  const processes = await Promise.all([startChild(), startChild()]);
  go(...processes);
  await allPlaced();
  await expectOneOrderEach(settlements);
  expect(await count("v402.event WHERE type LIKE '%outcome_unknown%'")).toBe(0);
});

test.each([
  { at: 'C3', what: 'after its claim' },
  { at: 'C4', what: 'after its intent' },
  { at: 'C5', what: 'after the answer' },
] as const)('$at: one of two is killed $what: still exactly one order a side', async ({ at }) => {
  const settlements = await accept(60);
  const dying = await startChild({ at, count: 1 });
  const surviving = await startChild();
  const death = once(dying, 'exit');
  go(dying);
  // It may die as soon as it has claimed; the other one could have placed all orders before it had its share.
  await until(async () => (await count('v402.work WHERE leased_by IS NOT NULL')) > 0);
  go(surviving);
  expect(await death).toEqual([null, 'SIGKILL']);
  await allPlaced();
  await expectOneOrderEach(settlements);
  const doubted = await count("v402.event WHERE type = 'org.v402.order.outcome_unknown.v1'");
  if (at === 'C3') expect(doubted).toBe(0);
  else expect(doubted).toBeGreaterThan(0);
});
