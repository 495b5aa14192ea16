import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { identifyContract } from '@v402/contract';
import { topicName } from '@v402/messaging';
import { sendAnyHeaders } from '../support/any-headers.js';
import { v402 } from '../support/cli.js';
import { SettlementScene, type SeenEvent } from '../support/settlement-scene.js';
import { publishedViolations } from '../support/oracle.js';
import { BUYER, SELLER, testKey, SIGNERS, trade, TRUST_REGISTRY } from '../support/trade.js';

const DAY_MS = 86_400_000;
const dateIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
const short = ({ type }: SeenEvent): string => type.replace('org.v402.', '').replace('.v1', '');

/** Two deliveries, one of them months away, and one leg for each way that a leg can be released. */
const terms = {
  lines: [
    { sku: 'BOLT-M8', quantity: '5000', unitPrice: '12.34', priceBasis: '100' },
    { sku: 'NUT-M8', quantity: '5000', unitPrice: '0.05' },
  ],
  charges: [{ type: 'freight', amount: '33.00' }],
  delivery: {
    schedule: [
      { notBefore: dateIn(2), notAfter: dateIn(9), items: [{ line: '1', quantity: '5000' }] },
      { notBefore: dateIn(120), notAfter: dateIn(130), items: [{ line: '2', quantity: '5000' }] },
    ],
  },
  payment: [
    {
      rail: 'x402',
      trigger: 'agreed',
      amount: '200.00',
      x402: { network: 'eip155:8453', asset: '0xa', payTo: '0xb' },
    },
    { rail: 'card', trigger: 'ordered', amount: '100.00' },
    { rail: 'card', trigger: 'agreed', days: 30, amount: '100.00' },
    { rail: 'invoice', trigger: 'ordered', days: 30, amount: '100.00' },
    { rail: 'sepa', trigger: 'agreed', amount: '100.00' },
    { rail: 'card', trigger: 'delivered', days: 14 },
  ],
} as const;

describe('the spine, black box: the standalone app, Kafka and PostgreSQL are real', () => {
  let scene: SettlementScene;

  beforeAll(async () => {
    scene = await SettlementScene.open();
    scene.start('standalone');
  });

  afterAll(async () => {
    await scene.close();
  });

  test('a signed contract becomes an order, payments and deliveries on each side', async () => {
    const { contract, envelope } = trade({ negotiationId: 'spine-1', ...terms });
    await scene.send([envelope]);
    await scene.until('both orders', async () => (await scene.count('orderbook.order_head')) === 2);
    await scene.settled();

    const orders = await scene.sql(
      'SELECT kind, currency, total::text, buyer, seller FROM orderbook.order_head ORDER BY kind',
    );
    const order = { currency: 'EUR', buyer: BUYER, seller: SELLER };
    expect(orders.map(({ total, ...rest }) => ({ ...rest, total: Number(total) }))).toEqual([
      { ...order, kind: 'purchase_order', total: 900 },
      { ...order, kind: 'sales_order', total: 900 },
    ]);
    expect((await scene.events('events')).map(short).sort()).toEqual([
      'order.created',
      'order.created',
      'settlement.accepted',
    ]);

    const payments = await scene.events('payments');
    const bySide = (side: string): string[] =>
      payments
        .filter(({ data }) => data['side'] === side)
        .map((event) => `${short(event)} ${String(event.data['legId'])}`)
        .sort();
    const scheduled = ['p1', 'p2', 'p3', 'p4', 'p5'].map((leg) => `payment.scheduled ${leg}`);
    // The buyer has no approved account for the SEPA leg, so that one stops; the seller just expects it.
    expect(bySide('buyer')).toEqual(['payment.requested p1', 'payment.requested p2', ...scheduled]);
    expect(bySide('seller')).toEqual([
      'invoice.requested p4',
      'payment.requested p1',
      'payment.requested p2',
      'payment.requested p5',
      ...scheduled,
    ]);
    const asked = payments.find((event) => short(event) === 'payment.requested' && event.data['side'] === 'buyer')!;
    expect(asked.data).toMatchObject({
      role: 'payer',
      instructedAmount: { currency: 'EUR' },
      debtor: { id: BUYER },
      creditor: { id: SELLER },
    });
    expect(String(asked.data['endToEndId']).length).toBeLessThanOrEqual(35);
    const blocked = await scene.sql("SELECT side, leg_id, code FROM v402.payment_leg WHERE state = 'blocked'");
    expect(blocked).toEqual([{ side: 'buyer', leg_id: 'p5', code: 'creditor_account_missing' }]);
    await scene.untilSaid('payment_leg_blocked');

    const deliveries = await scene.events('deliveries');
    expect(deliveries.map(({ data }) => [data['deliveryId'], data['role']]).sort()).toEqual([
      ['d1', 'receiver'],
      ['d1', 'shipper'],
    ]);
    expect(await publishedViolations(scene)).toEqual([]);
    const [{ canonical } = { canonical: Buffer.alloc(0) }] = await scene.sql<{ canonical: Buffer }>(
      'SELECT canonical FROM v402.settlement',
    );
    expect(JSON.parse(canonical.toString('utf8'))).toEqual(contract);
  });

  test('its whole proof is one file, which is verified without the system, and found out when it is changed', async () => {
    const [{ id } = { id: '' }] = await scene.sql<{ id: string }>(
      "SELECT encode(contract_id, 'hex') AS id FROM v402.settlement",
    );
    const out = scene.file('evidence.json', '');
    const env = scene.environment();
    expect(await v402(['evidence', id, '--order-system', '--out', out], { env })).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const verified = await v402(['verify', out, '--registry', TRUST_REGISTRY]);
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    expect(verified.stdout).toMatch(/^verified: contract/);
    expect(verified.stdout).toContain('proven       order_system');
    const changed = readFileSync(out, 'utf8').replace('"total": "900"', '"total": "901"');
    const found = await v402(['verify', '-', '--json'], { stdin: changed });
    expect(found.status).toBe(1);
    const { checks } = JSON.parse(found.stdout) as { checks: { code: string; outcome: string }[] };
    const failed = checks.filter(({ outcome }) => outcome === 'failed').map(({ code }) => code);
    expect(failed).toEqual(expect.arrayContaining(['seal', 'settlement']));
  });

  test('texts that would do harm elsewhere are texts here: in the order, in the events and in the database', async () => {
    const harmful = [
      "'; DROP TABLE v402.settlement; --",
      '<script>alert(1)</script>',
      '=HYPERLINK("http://x")',
      '${jndi:ldap://x/y} {{7*7}} %s %n $1 \\',
      'ｆｕｌｌ е é',
    ];
    const lines = harmful.map((sku) => ({ sku, description: sku, quantity: '1', unitPrice: '1.00' }));
    const { contract, envelope } = trade({
      negotiationId: 'harmful',
      lines,
      extensions: { '__proto__.constructor': harmful.join() },
    });
    const orders = await scene.count('orderbook.order_head');
    await scene.send([envelope]);
    await scene.until('both orders', async () => (await scene.count('orderbook.order_head')) === orders + 2);
    await scene.settled();
    const ordered = await scene.sql<{ skus: string[] }>(
      `SELECT array_agg(l.sku ORDER BY l.position) AS skus FROM orderbook.order_line l JOIN orderbook.order_head h ON h.id = l.order_id
       WHERE h.contract_id = $1 GROUP BY h.id`,
      [Buffer.from(identifyContract(contract).contractId, 'hex')],
    );
    expect(ordered.map(({ skus }) => skus)).toEqual([harmful, harmful]);
    const [accepted] = (await scene.events('events')).filter(
      (event) => short(event) === 'settlement.accepted' && event.data['negotiationId'] === 'harmful',
    );
    expect(accepted?.data).toMatchObject({ terms: contract.terms, extensions: contract.extensions });
  });

  test('garbage of every kind is refused with its code, kept, and holds nobody up', async () => {
    const good = trade({ negotiationId: 'spine-2' });
    const garbage: (Uint8Array | null)[] = [
      null,
      Buffer.alloc(0),
      Buffer.from('no json'),
      Buffer.from('{"a":1,"a":2}'),
      Buffer.from('{"a":"\u0000"}'),
      Buffer.from([0xff, 0xfe, 0x00]),
      Buffer.alloc(10_000_000, 0x20),
      Buffer.from('['.repeat(900_000)),
      trade({ negotiationId: 'spine-3' }, { ...SIGNERS, buyer: testKey('unregistered-eip712') }).envelope,
      good.envelope,
    ];
    // One key, so one partition: everything stands before the good one.
    const topic = topicName(scene.prefix, 'contracts');
    const binary = Buffer.from([0x00, 0xff, 0xfe]);
    const hostile: [string, object][] = [
      ['null header', { traceparent: null, 'v402-note': null }],
      ['binary headers', { traceparent: binary, '': binary, constructor: binary }],
    ];
    for (const [text, headers] of hostile) {
      await sendAnyHeaders(scene.producer, { topic, key: 'same', value: Buffer.from(text), headers });
    }
    await scene.send(garbage, () => 'same');
    await scene.until(
      'the good one',
      async () => (await scene.count("v402.deal WHERE negotiation_id = 'spine-2'")) === 1,
    );
    await scene.settled();

    const rejections = await scene.sql<{ code: string; n: number }>(
      'SELECT code, sum(occurrences)::int AS n FROM v402.rejection GROUP BY code ORDER BY code',
    );
    expect(rejections).toEqual([
      { code: 'duplicate_key', n: 1 },
      { code: 'malformed_json', n: 8 },
      { code: 'too_large', n: 1 },
      { code: 'unknown_key', n: 1 },
    ]);
    const huge = createHash('sha256').update(Buffer.alloc(10_000_000, 0x20)).digest();
    const [kept] = await scene.sql<{ size: number; truncated: boolean; bytes: Buffer }>(
      'SELECT size, truncated, bytes FROM v402.raw_message WHERE digest = $1',
      [huge],
    );
    expect(kept).toMatchObject({ size: 10_000_000, truncated: true });
    expect(kept!.bytes).toHaveLength(4096);
    const codes = (await scene.events('rejections')).map(({ data }) => data['code']).sort();
    expect(codes.filter((code) => code === 'too_large')).toHaveLength(1);
    expect(await publishedViolations(scene)).toEqual([]);
  });

  test('a second contract for the same negotiation is set aside, announced, and stops what has not started', async () => {
    const first = trade({ negotiationId: 'spine-4', ...terms });
    await scene.send([first.envelope]);
    await scene.until('accepted', async () => (await scene.count("v402.deal WHERE negotiation_id = 'spine-4'")) === 1);
    await scene.settled();
    const ordersBefore = await scene.count('orderbook.order_head');
    await scene.send([
      trade({ negotiationId: 'spine-4', ...terms, extensions: { 'com.example.other': 'yes' } }).envelope,
    ]);
    await scene.until('quarantined', async () => (await scene.count('v402.quarantine')) === 1);
    await scene.settled();
    expect(await scene.count('orderbook.order_head')).toBe(ordersBefore);
    const events = await scene.events('events');
    expect(events.filter((event) => short(event) === 'hold.placed').map(({ data }) => data['reason'])).toEqual([
      'equivocation',
    ]);
    const rejections = await scene.events('rejections');
    const quarantined = rejections.filter((event) => short(event) === 'contract.quarantined');
    expect(quarantined.map(({ data }) => [data['code'], data['held']])).toEqual([['negotiation_conflict', true]]);
  });

  test('the log holds no payload, no signature and no password', () => {
    const log = scene.log();
    for (const secret of ['BOLT-M8', 'app-test', 'orderbook-test', 'signature"', 'unitPrice'])
      expect(log).not.toContain(secret);
  });

  test('SIGTERM ends the app cleanly', async () => {
    const other = scene.start('standalone');
    await scene.until('the second runs', () => Promise.resolve(scene.log().split('The roles run.').length > 2));
    expect(await scene.kill(other, 'SIGTERM')).toBe(0);
  });
});
