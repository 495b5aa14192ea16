import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { ContractDraft } from '@v402/contract';
import type { ContractId, Instant, Side } from '@v402/domain';
import { CATALOGUE, EVENT_TYPES, type EventType } from '@v402/events';
import { EmbeddedOrderSystem } from '@v402/order-systems';
import { ScriptedOrderSystem } from '@v402/testing';
import { format, resolveConfig } from 'prettier';
import { ApprovedAccounts, BackOffice, TRACEPARENT } from '../support/back-office.js';
import { agreed, type AgreedTrade } from '../support/intake-scene.js';
import { Operator } from '../support/operator.js';
import { CountedIds, StagedRun } from '../support/staged-run.js';
import { BUYER, SELLER } from '../support/trade.js';

/**
 * The examples of docs/events.md, from a run of the real handlers over a real PostgreSQL. Contracts, signatures, clock,
 * ids and the order of work are fixed, so the run publishes the same bytes every time and nothing has to be left out of
 * the comparison. `npm run docs:examples` records them anew.
 */
const EXAMPLES = new URL('../../docs/examples/', import.meta.url);
const isRecording = process.env['V402_TEST_RECORD_EXAMPLES'] === '1';

const fileOf = (type: EventType): URL => new URL(`${type}.json`, EXAMPLES);

/** The example as it stands in its file: the published JSON, laid out for reading. */
const laidOut = async (text: string): Promise<string> => {
  const filepath = EXAMPLES.pathname;
  const options = { ...(await resolveConfig(filepath)), parser: 'json' };
  return format(JSON.stringify(JSON.parse(text), null, 2), options);
};

const SALE: ContractDraft = {
  charges: [{ type: 'freight', amount: '35.00' }],
  delivery: {
    incoterm: 'DAP',
    place: 'Hamburg',
    shipTo: {
      name: 'Buyer GmbH, Werk 2',
      street: 'Hafenstrasse 1',
      city: 'Hamburg',
      postalCode: '20457',
      country: 'DE',
    },
    schedule: [
      { notBefore: '2026-12-01', notAfter: '2026-12-05', items: [{ line: '1', quantity: '3000' }] },
      { notBefore: '2027-01-11', notAfter: '2027-01-15' },
    ],
  },
  payment: [
    {
      rail: 'x402',
      trigger: 'agreed',
      amount: '52.00',
      x402: {
        network: 'eip155:8453',
        asset: '0x60a3e35cc302bfa44cb288bc5a4f316fdb1adb42',
        payTo: '0x209693bc6afc0c5328ba36faf03c514ef312287c',
      },
    },
    { rail: 'sepa', trigger: 'ordered', days: 14, amount: '200.00' },
    { rail: 'invoice', trigger: 'ordered', days: 30 },
  ],
  dispute: { windowDays: 14, method: 'arbitration', venue: 'DIS Hamburg' },
  extensions: { 'com.example.costCentre': '4711' },
};

interface RecordedEvent {
  readonly id: string;
  readonly type: EventType;
  readonly subject: ContractId;
  readonly causationid?: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** As published. */
  readonly text: string;
}

const run = new StagedRun();
let office: BackOffice;
let embedded: EmbeddedOrderSystem;
let operator: Operator;
/** How many of the next commits of the order book lose their answer. */
let answersToLose = 0;
let events: readonly RecordedEvent[];
const examples = new Map<EventType, string>();

beforeAll(async () => {
  office = await BackOffice.open({ decorate: run.decorate, ids: new CountedIds() });
  operator = new Operator(office.scene, { decorate: run.decorate });
  const loseAnswer = (): Promise<void> => {
    if (answersToLose === 0) return Promise.resolve();
    answersToLose -= 1;
    return Promise.reject(new Error('the answer is lost'));
  };
  embedded = new EmbeddedOrderSystem({ url: office.database.orderbookUrl, hooks: { afterCommit: loseAnswer } });
  const subjects = await play();
  events = await published();
  for (const type of EVENT_TYPES) examples.set(type, exampleOf(type, subjects));
  if (!isRecording) return;
  await mkdir(EXAMPLES, { recursive: true });
  for (const [type, text] of examples) await writeFile(fileOf(type), await laidOut(text));
});

afterAll(async () => {
  await operator.close();
  await embedded.close();
  await office.close();
});

/** Hands a message over that arrived at the given moment, and is decided 60.352 ms later. */
async function receive(envelope: Uint8Array | string, at: Instant, servedParties = [BUYER, SELLER]): Promise<void> {
  run.at(new Date(Date.parse(at) + 60).toISOString().replace('Z', '352Z'));
  const message = office.scene.message(envelope, { arrival: { at, source: 'broker' }, traceparent: TRACEPARENT });
  await office.scene.handlerWith({ policy: { servedParties } }).handle([message]);
}

async function receiveTrade(draft: ContractDraft, at: Instant, servedParties?: string[]): Promise<AgreedTrade> {
  const trade = agreed({ ...SALE, ...draft });
  await receive(trade.envelope, at, servedParties);
  return trade;
}

/** Whatever is due. */
async function workOff(handler: { handle(): Promise<number> }): Promise<void> {
  while ((await handler.handle()) > 0);
}

/** Of which settlement the example of a type is; a rejection is of none. */
type Subjects = Readonly<Record<Exclude<EventType, 'org.v402.contract.rejected.v1'>, ContractId>>;

/** What happens, once. Each negotiation shows one thing. */
async function play(): Promise<Subjects> {
  const sale = await receiveTrade({ negotiationId: 'neg-2026-000417' }, '2026-11-21T10:15:31.412Z');
  run.at('2026-11-21T10:15:31.604118Z');
  await workOff(office.orders(embedded));

  const unknown = await receiveTrade({ negotiationId: 'neg-2026-000418' }, '2026-11-21T10:16:02.077Z', [SELLER]);
  run.at('2026-11-21T10:16:02.251940Z');
  answersToLose = 1;
  await workOff(office.orders(embedded));

  const finePrices = new ScriptedOrderSystem({ priceScale: 2 });
  const issue = { code: 'price_scale_exceeded', where: '/terms/lines/0/unitPrice' };
  finePrices.script.preflight = () => Promise.resolve([issue]);
  const lines = [{ sku: 'BOLT-M8', description: 'Bolt M8', quantity: '5000', unitPrice: '0.1234' }];
  const unfit = await receiveTrade({ negotiationId: 'neg-2026-000419', lines }, '2026-11-21T10:17:40.530Z', [SELLER]);
  run.at('2026-11-21T10:17:40.702385Z');
  await workOff(office.orders(finePrices));

  const base = await receiveTrade({ negotiationId: 'neg-2026-000420' }, '2026-11-21T10:18:11.006Z');
  const amendment = { supersedes: base.contractId, agreedAt: '2026-11-21T10:20:30.120Z' };
  await receiveTrade({ negotiationId: 'neg-2026-000420', ...amendment }, '2026-11-21T10:20:31.339Z');

  const first = await receiveTrade({ negotiationId: 'neg-2026-000421' }, '2026-11-21T10:21:05.818Z');
  const second = { negotiationId: 'neg-2026-000421', expiresAt: '2026-11-23T10:15:30.120Z' };
  const conflict = await receiveTrade(second, '2026-11-21T10:21:34.220Z');

  const begun = await receiveTrade({ negotiationId: 'neg-2026-000422' }, '2026-11-21T10:21:40.530Z', [SELLER]);
  run.at('2026-11-21T10:21:40.702385Z');
  await workOff(office.orders(embedded));
  const change = { supersedes: begun.contractId, agreedAt: '2026-11-21T10:21:50.120Z' };
  const amended = await receiveTrade({ negotiationId: 'neg-2026-000422', ...change }, '2026-11-21T10:21:51.339Z', [
    SELLER,
  ]);
  run.at('2026-11-21T10:22:05.801334Z');
  await operator.release(amended.contractId, true);
  run.at('2026-11-21T10:22:12.140018Z');
  await operator.reject(conflict.contractId);

  const badUnit = Buffer.from(sale.envelope).toString().replace('"unit":"C62"', '"unit":"PIECES"');
  await receive(badUnit, '2026-11-21T10:22:33.006Z');

  const accounts = new ApprovedAccounts();
  accounts.approve(SELLER, 'sepa', 'EUR', { scheme: 'iban', identification: 'FR1420041010050500013M02606' });
  run.at('2026-11-21T10:22:34.150226Z');
  await workOff(office.workflows({ accounts }));
  run.at('2026-12-05T00:00:00.214907Z');
  await run.wake((text, ...values) => office.sql(text, ...values));
  await workOff(office.workflows({ accounts }));

  return {
    'org.v402.settlement.accepted.v1': sale.contractId,
    'org.v402.settlement.superseded.v1': base.contractId,
    'org.v402.hold.placed.v1': first.contractId,
    'org.v402.hold.released.v1': first.contractId,
    'org.v402.order.created.v1': sale.contractId,
    'org.v402.order.changed.v1': amended.contractId,
    'org.v402.order.rejected.v1': unfit.contractId,
    'org.v402.order.outcome_unknown.v1': unknown.contractId,
    'org.v402.payment.scheduled.v1': sale.contractId,
    'org.v402.payment.requested.v1': sale.contractId,
    'org.v402.invoice.requested.v1': sale.contractId,
    'org.v402.delivery.requested.v1': sale.contractId,
    'org.v402.contract.quarantined.v1': conflict.contractId,
  };
}

async function published(): Promise<RecordedEvent[]> {
  const rows = await office.sql<{ text: string }>(
    `SELECT convert_from(e.bytes, 'UTF8') AS text FROM v402.outbox o JOIN v402.event e ON e.id = o.event_id ORDER BY o.id`,
  );
  return rows.map(({ text }) => ({ ...(JSON.parse(text) as RecordedEvent), text }));
}

/** The seller's orders, invoices and deliveries, and what the buyer pays by bank. */
const SHOWN: { readonly [T in EventType]?: { readonly side: Side; readonly rail?: string } } = {
  'org.v402.order.created.v1': { side: 'seller' },
  'org.v402.payment.scheduled.v1': { side: 'buyer', rail: 'sepa' },
  'org.v402.payment.requested.v1': { side: 'buyer', rail: 'sepa' },
  'org.v402.delivery.requested.v1': { side: 'seller' },
};

function exampleOf(type: EventType, subjects: Subjects): string {
  const shown = Object.entries(SHOWN[type] ?? {});
  const example = events.find(
    (event) =>
      event.type === type &&
      (type === 'org.v402.contract.rejected.v1' || event.subject === subjects[type]) &&
      shown.every(([member, value]) => event.data[member] === value),
  );
  if (example === undefined) throw new Error(`The run has published no ${type} to show.`);
  return example.text;
}

describe('the run', () => {
  test('publishes what fits the schemas', () => {
    for (const { type, data } of events) expect(CATALOGUE[type].schema.safeParse(data).error).toBeUndefined();
  });

  test('names causes that were published', () => {
    const ids = new Set(events.map(({ id }) => id));
    const causes = events.flatMap(({ causationid }) => (causationid === undefined ? [] : [causationid]));
    expect(causes.filter((cause) => !ids.has(cause))).toEqual([]);
  });
});

test.each(EVENT_TYPES)('the example of %s is what is published (if not: npm run docs:examples)', async (type) => {
  expect(await readFile(fileOf(type), 'utf8')).toBe(await laidOut(examples.get(type)!));
});
