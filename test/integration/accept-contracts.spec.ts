import { sealEnvelope } from '@v402/signatures';
import { sha256 } from '../support/records.js';
import { agreed, AGREED_AT, ARRIVED_AT, CONTRACTS, IntakeScene } from '../support/intake-scene.js';
import { BUYER, SELLER, SIGNERS, testKey } from '../support/trade.js';

/** Real: PostgreSQL, signatures and trust registry. Messages are handed to the handler as the consumer would. */
let scene: IntakeScene;

beforeAll(async () => {
  scene = await IntakeScene.open();
});

afterAll(async () => {
  await scene.close();
});

/** Two lines, deliveries and legs, one of them triggered by the agreement. */
const RICH = {
  lines: [
    { sku: 'BOLT-M8', quantity: '10', unitPrice: '1.50' },
    { sku: 'NUT-M8', quantity: '4', unitPrice: '0.25' },
  ],
  delivery: {
    schedule: [
      { notBefore: '2026-12-01', notAfter: '2026-12-05', items: [{ line: '1', quantity: '10' }] },
      { notBefore: '2026-12-06', notAfter: '2026-12-07' },
    ],
  },
  payment: [
    { rail: 'sepa', trigger: 'agreed', percent: '25', days: 3 },
    { rail: 'invoice', trigger: 'delivered', days: 30 },
  ],
} as const;

describe('a contract that is accepted', () => {
  test('has its deal, settlement, orders, legs, deliveries and work, for each side', async () => {
    const { contractId, contract, envelope, canonical, shortRef } = agreed({ negotiationId: 'rich', ...RICH });
    expect(await scene.handle(envelope)).toEqual({
      accepted: 1,
      duplicates: 0,
      rejected: 0,
      quarantined: 0,
      undecidable: 0,
      refusals: new Map(),
    });

    const dealKey = Buffer.from(sha256(JSON.stringify(['rich', BUYER, SELLER])), 'hex');
    expect(await scene.sql("SELECT key, buyer, seller FROM v402.deal WHERE negotiation_id = 'rich'")).toEqual([
      { key: dealKey, buyer: BUYER, seller: SELLER },
    ]);
    expect(await scene.of('settlement', contractId)).toMatchObject([
      {
        deal_key: dealKey,
        current: true,
        state: 'accepted',
        short_ref: shortRef,
        order_reference: shortRef,
        supersedes: null,
        currency: 'EUR',
        total: '16.000000000',
        agreed_at: new Date(AGREED_AT),
        expires_at: new Date(contract.expiresAt),
        canonical: Buffer.from(canonical),
        settlement_sequence: 1,
        payment_sequence: 0,
        delivery_sequence: 0,
        duplicates: 0,
      },
    ]);
    const pick = (table: string, columns: string): Promise<Record<string, unknown>[]> =>
      scene.sql(`SELECT side, ${columns} FROM v402.${table} WHERE contract_id = $1 ORDER BY side, 2`, [
        Buffer.from(contractId, 'hex'),
      ]);
    const both = <Row>(...rows: Row[]): Row[] =>
      ['buyer', 'seller'].flatMap((side) => rows.map((row) => ({ side, ...row })));
    expect(await pick('order_placement', 'state, attempt')).toEqual(both({ state: 'waiting', attempt: 0 }));
    expect(
      await pick('payment_leg', 'number, leg_id, state, trigger, days, rail, trim_scale(amount)::text AS amount'),
    ).toEqual(
      both(
        { number: 1, leg_id: 'p1', state: 'waiting', trigger: 'agreed', days: 3, rail: 'sepa', amount: '4' },
        { number: 2, leg_id: 'p2', state: 'waiting', trigger: 'delivered', days: 30, rail: 'invoice', amount: '12' },
      ),
    );
    expect(
      await pick('delivery', 'number, delivery_id, state, not_before::text AS "from", not_after::text AS "to"'),
    ).toEqual(
      both(
        { number: 1, delivery_id: 'd1', state: 'waiting', from: '2026-12-01', to: '2026-12-05' },
        { number: 2, delivery_id: 'd2', state: 'waiting', from: '2026-12-06', to: '2026-12-07' },
      ),
    );
    expect(await pick('work', 'kind, subject_id, epoch, lease_until, due_at <= now() AS is_due')).toEqual(
      both(
        { kind: 'order', subject_id: '', epoch: 0, lease_until: null, is_due: true },
        { kind: 'payment_leg', subject_id: 'p1', epoch: 0, lease_until: null, is_due: true },
      ),
    );
  });

  test('keeps what it was decided with: coordinates, arrival, registry, keys, code and the bytes', async () => {
    const { contractId, envelope } = agreed({ negotiationId: 'evidence' });
    const message = scene.message(envelope, { coordinates: { topic: CONTRACTS, partition: 7, offset: 402n } });
    await scene.handler.handle([message]);

    const [decision] = await scene.of('decision', contractId);
    expect(decision).toMatchObject({
      outcome: 'accepted',
      code: null,
      raw_digest: Buffer.from(sha256(envelope), 'hex'),
      topic: CONTRACTS,
      partition: 7,
      kafka_offset: '402',
      arrival: new Date(ARRIVED_AT),
      arrival_source: 'broker',
      registry_digest: Buffer.from(scene.verifier.registryDigest, 'hex'),
      code_version: 'test-1',
    });
    const keys = decision!['keys'] as { role: string; suite: string; kid: string; entry: string }[];
    expect(keys.map(({ role, suite, kid }) => [role, suite, kid])).toEqual([
      ['buyer', 'eip712', SIGNERS.buyer.kid],
      ['seller', 'jws', SIGNERS.seller.kid],
    ]);
    expect(keys.map(({ entry }) => (JSON.parse(entry) as { kid: string }).kid)).toEqual(keys.map(({ kid }) => kid));
    expect(
      await scene.sql('SELECT bytes, size, truncated FROM v402.raw_message WHERE digest = $1', [
        decision!['raw_digest'],
      ]),
    ).toEqual([{ bytes: Buffer.from(envelope), size: envelope.length, truncated: false }]);
  });

  test('is announced with its terms, evidence and the trace that it came with', async () => {
    const { contractId, shortRef, contract, envelope } = agreed({
      negotiationId: 'announced',
      extensions: { 'com.example.costCentre': '4711' },
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const message = scene.message(envelope, { traceparent });
    await scene.handler.handle([message]);

    const [event, ...others] = await scene.events(contractId);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'org.v402.settlement.accepted.v1',
      topic: 'v402.settlement.events.v1',
      sequence: 1,
      isInOutbox: true,
      document: { subject: contractId, sequence: '0000000001', traceparent, correlationid: 'announced' },
    });
    expect(event!.document.data).toMatchObject({
      contractId,
      shortRef,
      reference: shortRef,
      sides: ['buyer', 'seller'],
      terms: contract.terms,
      extensions: { 'com.example.costCentre': '4711' },
      evidence: {
        kafka: { topic: CONTRACTS, partition: 0, offset: String(message.coordinates.offset) },
        arrival: { at: ARRIVED_AT, source: 'broker' },
        rawDigest: sha256(envelope),
        registryDigest: scene.verifier.registryDigest,
      },
    });
    const [row] = await scene.of<{ traceparent: string; last_event_at: Date }>('settlement', contractId);
    expect(row!.traceparent).toBe(traceparent);
    expect(BigInt(row!.last_event_at.getTime())).toBe(event!.occurredAt / 1000n);
  });

  test('wakes those who have something to do, a duplicate only the relay', async () => {
    const { envelope } = agreed({ negotiationId: 'wake' });
    scene.wake.hints.length = 0;
    await scene.handle(envelope);
    expect(scene.wake.hints.splice(0)).toEqual(['orders', 'workflows', 'relay']);
    await scene.handle(envelope);
    expect(scene.wake.hints).toEqual(['relay']);
  });

  test('an empty batch does nothing', async () => {
    const before = await scene.content();
    expect(await scene.handler.handle([])).toMatchObject({ accepted: 0, duplicates: 0, rejected: 0 });
    expect(await scene.content()).toEqual(before);
  });
});

describe('the parties that the handler serves', () => {
  const kindsOf = async (contractId: string): Promise<unknown[]> => {
    const tables = ['order_placement', 'payment_leg', 'delivery', 'work'];
    const rows = await Promise.all(tables.map((table) => scene.of<{ side: string }>(table, contractId)));
    return rows.map((each) => [...new Set(each.map(({ side }) => side))].sort());
  };

  test.each([
    ['the seller only', [SELLER], ['seller']],
    ['the buyer only', [BUYER, 'did:web:somebody.example'], ['buyer']],
    ['both', [SELLER, BUYER], ['buyer', 'seller']],
  ])('%s', async (name, servedParties, sides) => {
    const { contractId, envelope } = agreed({ negotiationId: `served ${name}`.replaceAll(' ', '-') });
    const handler = scene.handlerWith({ policy: { servedParties } });
    expect(await handler.handle([scene.message(envelope)])).toMatchObject({ accepted: 1 });
    expect(await kindsOf(contractId)).toEqual([sides, sides, sides, sides]);
    expect((await scene.events(contractId))[0]!.document.data['sides']).toEqual(sides);
  });

  test('none of the contract: refused as audience_mismatch', async () => {
    const { contractId, envelope } = agreed({ negotiationId: 'served-none' });
    const handler = scene.handlerWith({ policy: { servedParties: ['did:web:somebody.example'] } });
    expect(await handler.handle([scene.message(envelope)])).toMatchObject({ accepted: 0, rejected: 1 });
    expect(await scene.of('rejection', contractId)).toMatchObject([
      { code: 'audience_mismatch', fault_at: '/contract/parties' },
    ]);
    expect(await kindsOf(contractId)).toEqual([[], [], [], []]);
  });
});

describe('duplicates', () => {
  const duplicatesOf = async (contractId: string): Promise<unknown> =>
    (await scene.of('settlement', contractId))[0]?.['duplicates'];

  test('redelivery of a whole batch changes nothing but the counters', async () => {
    const first = agreed({ negotiationId: 'again' });
    const conflicting = agreed({ negotiationId: 'again', extensions: { 'com.example.n': '2' } });
    const late = agreed({ negotiationId: 'again-late', expiresAt: '2026-11-21T10:15:31Z' });
    const amendment = agreed({ negotiationId: 'again-amended', supersedes: first.contractId });
    const batch = [first.envelope, conflicting.envelope, late.envelope, amendment.envelope, 'garbage'].map((value) =>
      scene.message(value),
    );
    expect(await scene.handler.handle(batch)).toMatchObject({ accepted: 1, quarantined: 1, rejected: 3 });

    const before = await scene.content();
    expect(await scene.handler.handle(batch)).toMatchObject({
      accepted: 0,
      duplicates: 1,
      quarantined: 1,
      rejected: 3,
    });
    expect(await scene.content()).toEqual(before);
    expect(await duplicatesOf(first.contractId)).toBe(1);
    expect(await scene.of('quarantine', conflicting.contractId)).toMatchObject([{ occurrences: 2 }]);
    expect(await scene.of('rejection', late.contractId)).toMatchObject([{ code: 'expired', occurrences: 2 }]);
  });

  test('an accepted contract with broken signatures, other signatures or another JSON form is a duplicate', async () => {
    const { contractId, contract, envelope } = agreed({ negotiationId: 'other-forms' });
    await scene.handle(envelope);
    const before = await scene.content();
    const others = sealEnvelope(contract, { buyer: testKey('buyer-ed25519-1'), seller: testKey('seller-eip712-1') });
    const signatures = [{ role: 'buyer', suite: 'jws', kid: 'nobody', signature: 'broken' }];
    const reordered = Object.fromEntries(Object.entries(contract).reverse());
    const forms = [
      others,
      JSON.stringify({ contract, signatures }),
      JSON.stringify({ signatures: [], contract: reordered }, null, 2),
    ];
    expect(await scene.handle(...forms)).toMatchObject({ duplicates: 3, rejected: 0 });
    expect(await duplicatesOf(contractId)).toBe(3);
    const after = await scene.content();
    expect({ ...after, input_offset: null }).toEqual({ ...before, input_offset: null });
  });

  test('a duplicate needs no key: one that was revoked, or not in time, changes nothing', async () => {
    const { envelope } = agreed({ negotiationId: 'long-ago' });
    await scene.handle(envelope);
    const message = scene.message(envelope, { arrival: { at: '2036-01-01T00:00:00Z', source: 'broker' } });
    expect(await scene.handler.handle([message])).toMatchObject({ duplicates: 1, rejected: 0 });
  });

  test('within one batch the first counts, whatever form the others have', async () => {
    const { contractId, contract, envelope } = agreed({ negotiationId: 'in-batch' });
    const unsigned = JSON.stringify({ contract, signatures: [] });
    expect(await scene.handle(envelope, envelope, unsigned, envelope)).toMatchObject({ accepted: 1, duplicates: 3 });
    expect(await duplicatesOf(contractId)).toBe(3);
    expect(await scene.of('decision', contractId)).toHaveLength(1);
    expect(await scene.events(contractId)).toHaveLength(1);
    expect(await scene.of('rejection', contractId)).toEqual([]);
  });

  test('a refusal that came first does not stand in the way of the valid message', async () => {
    const { contractId, contract, envelope } = agreed({ negotiationId: 'refused-first' });
    const unsigned = JSON.stringify({ contract, signatures: [] });
    expect(await scene.handle(unsigned, envelope, unsigned)).toMatchObject({ accepted: 1, rejected: 1, duplicates: 1 });
    expect(await scene.of('rejection', contractId)).toMatchObject([{ code: 'signature_missing', occurrences: 1 }]);
  });
});
