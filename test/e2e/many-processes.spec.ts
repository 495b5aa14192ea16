import { identifyContract } from '@v402/contract';
import { bookedOrders, publishedViolations, unintendedCreates } from '../support/oracle.js';
import { SettlementScene, SHORT_LEASES } from '../support/settlement-scene.js';
import { trade, type Trade } from '../support/trade.js';

const CONTRACTS = 60;

const trades = (name: string): Trade[] =>
  Array.from({ length: CONTRACTS }, (_, index) =>
    trade({
      negotiationId: `${name}-${index}`,
      payment: [
        { rail: 'card', trigger: 'agreed', percent: '50' },
        { rail: 'card', trigger: 'ordered' },
      ],
    }),
  );

/** What 60 contracts, served on both sides, must have come to, however often they were sent: no more and no less. */
async function expectEverythingOnce(scene: SettlementScene, sent: readonly Trade[], times = 1): Promise<void> {
  const decided = async (): Promise<number | undefined> =>
    (await scene.sql<{ n: number }>('SELECT sum(next_offset)::int AS n FROM v402.input_offset'))[0]?.n;
  await scene.until('every message is decided', async () => (await decided()) === times * CONTRACTS);
  await scene.until('all orders', async () => (await scene.count('orderbook.order_head')) === 2 * CONTRACTS);
  await scene.until('all work', async () => (await scene.count('v402.work')) === 0);
  await scene.settled();
  expect(await scene.count('v402.settlement')).toBe(CONTRACTS);
  const booked = sent.map(({ contract }) => identifyContract(contract).contractId);
  const kinds = ['purchase_order', 'sales_order'];
  expect(await bookedOrders(scene)).toEqual(kinds.flatMap((kind) => booked.map((id) => `${kind} ${id}`)).sort());
  expect(await publishedViolations(scene)).toEqual([]);
  const types = new Map<string, Set<string>>();
  for (const topic of ['events', 'payments', 'deliveries', 'rejections'] as const) {
    for (const { type, id } of await scene.events(topic)) types.set(type, (types.get(type) ?? new Set()).add(id));
  }
  const counts = Object.fromEntries([...types].map(([type, ids]) => [type.split('.').slice(2, 4).join('.'), ids.size]));
  // An outcome may have been unknown for a while, where a process died between asking and recording.
  delete counts['order.outcome_unknown'];
  expect(counts).toEqual({
    'settlement.accepted': CONTRACTS,
    'order.created': 2 * CONTRACTS,
    'payment.scheduled': 4 * CONTRACTS,
    'payment.requested': 4 * CONTRACTS,
    'delivery.requested': 2 * CONTRACTS,
  });
}

describe('several processes, black box: apps, Kafka and PostgreSQL are real', () => {
  let scene: SettlementScene;

  beforeEach(async () => {
    scene = await SettlementScene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  test('two standalone processes, every contract three times on different partitions: everything once', async () => {
    scene.start('standalone');
    scene.start('standalone');
    const sent = trades('twice');
    const envelopes = sent.map(({ envelope }) => envelope);
    for (const round of ['a', 'b', 'c']) await scene.send(envelopes, (index) => `${round}${index}`);
    await expectEverythingOnce(scene, sent, 3);
    expect(await unintendedCreates(scene)).toEqual([]);
    const [{ n } = { n: 0 }] = await scene.sql<{ n: number }>('SELECT sum(duplicates)::int AS n FROM v402.settlement');
    expect(n).toBeGreaterThanOrEqual(2 * CONTRACTS);
  });

  test('each role as an app of its own, two processes each: everything once', async () => {
    for (const app of ['intake', 'orders', 'workflows', 'relay'] as const) {
      scene.start(app);
      scene.start(app);
    }
    const sent = trades('apart');
    await scene.send(sent.map(({ envelope }) => envelope));
    await expectEverythingOnce(scene, sent);
    expect(await unintendedCreates(scene)).toEqual([]);
  });

  test('a process killed in the middle of its work: the other one finishes it, everything once', async () => {
    const victim = scene.start('standalone', SHORT_LEASES);
    const sent = trades('killed');
    const envelopes = sent.map(({ envelope }) => envelope);
    await scene.send(envelopes);
    await scene.until('the first orders', async () => (await scene.count('orderbook.order_head')) > 5);
    await scene.kill(victim);
    scene.start('standalone', SHORT_LEASES);
    await scene.send(envelopes);
    // A create may have been asked for again after the crash: what counts is what the order book has.
    await expectEverythingOnce(scene, sent, 2);
  });
});
