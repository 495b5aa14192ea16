import { addSeconds, instantOfMicros } from '@v402/domain';
import { DecoratedUnitOfWork } from '@v402/testing';
import { agreed, IntakeScene } from '../support/intake-scene.js';
import { sha256 } from '../support/records.js';
import { DiesOnceAt } from '../support/seams.js';
import { trade } from '../support/trade.js';

/** Real: PostgreSQL, signatures and trust registry. */
let scene: IntakeScene;

beforeAll(async () => {
  scene = await IntakeScene.open();
});

afterAll(async () => {
  await scene.close();
});

const ofDigest = (table: string, value: Uint8Array | string): Promise<Record<string, unknown>[]> =>
  scene.sql(`SELECT * FROM v402.${table} WHERE ${table === 'raw_message' ? 'digest' : 'raw_digest'} = $1`, [
    Buffer.from(sha256(value), 'hex'),
  ]);

const brokerTime = (at: string): { arrival: { at: string; source: 'broker' } } => ({
  arrival: { at, source: 'broker' },
});

describe('a refused message', () => {
  test('is recorded once per content and code, counted when it comes again, and announced once', async () => {
    const value = '{"contract":{"spec":"v402-settlement/2"}}';
    expect(await scene.handle(value, value)).toMatchObject({ rejected: 2, accepted: 0 });
    expect(await scene.handle(value)).toMatchObject({ rejected: 1 });
    expect(await ofDigest('rejection', value)).toMatchObject([
      { code: 'unsupported_spec', contract_id: null, negotiation_id: null, occurrences: 3 },
    ]);
    expect(await ofDigest('decision', value)).toMatchObject([{ outcome: 'rejected', code: 'unsupported_spec' }]);
    expect(await ofDigest('raw_message', value)).toMatchObject([{ bytes: Buffer.from(value), truncated: false }]);
    expect(await scene.events(sha256(value), 'rejections')).toMatchObject([
      {
        type: 'org.v402.contract.rejected.v1',
        sequence: null,
        isInOutbox: true,
        document: { subject: sha256(value), data: { code: 'unsupported_spec', rawDigest: sha256(value) } },
      },
    ]);
  });

  test('that can be identified is found by its contract and its negotiation', async () => {
    const { contractId, contract } = agreed({ negotiationId: 'unsigned' });
    await scene.handle(JSON.stringify({ contract, signatures: [] }));
    expect(await scene.of('rejection', contractId)).toMatchObject([
      { code: 'signature_missing', fault_at: '/signatures', negotiation_id: 'unsigned' },
    ]);
    expect(await scene.events(contractId, 'rejections')).toMatchObject([
      { document: { correlationid: 'unsigned', data: { contractId, negotiationId: 'unsigned' } } },
    ]);
    expect(await scene.of('settlement', contractId)).toEqual([]);
  });

  test('has a rejection for each code that it was refused with', async () => {
    const base = agreed({ negotiationId: 'two-codes' });
    const amendment = agreed({ negotiationId: 'two-codes', supersedes: base.contractId });
    await scene.handle(amendment.envelope, base.envelope);
    const tooLate = brokerTime(addSeconds(amendment.contract.expiresAt, 1));
    await scene.handler.handle([scene.message(amendment.envelope, tooLate)]);
    const rejections = await scene.of<{ code: string }>('rejection', amendment.contractId);
    expect(rejections.map(({ code }) => code).sort()).toEqual(['expired', 'superseded_unknown']);
    expect(await ofDigest('raw_message', amendment.envelope)).toHaveLength(1);
    expect(await scene.events(amendment.contractId, 'rejections')).toHaveLength(2);
  });

  test('over 1,000,000 bytes is kept as its digest and its first 4 KiB', async () => {
    const exactly = Buffer.alloc(1_000_000, ' ');
    const over = Buffer.alloc(1_000_001, ' ');
    await scene.handle(exactly, over);
    expect(await ofDigest('rejection', exactly)).toMatchObject([{ code: 'malformed_json' }]);
    expect(await ofDigest('raw_message', exactly)).toMatchObject([{ bytes: exactly, truncated: false }]);
    expect(await ofDigest('rejection', over)).toMatchObject([{ code: 'too_large' }]);
    expect(await ofDigest('raw_message', over)).toMatchObject([
      { bytes: over.subarray(0, 4_096), size: 1_000_001, truncated: true },
    ]);
  });
});

test('what cannot be read holds up nobody: all valid messages of the batch are accepted', async () => {
  const withNul = JSON.stringify({ contract: { spec: 'v402-settlement/1' } }).replace('settlement', '\0');
  const { contract } = agreed({ negotiationId: 'nul-inside' });
  const withEscapedNul = JSON.stringify({ contract: { ...contract, extensions: { 'com.example.a': '\0' } } });
  const hostile: [Uint8Array | string | null, string][] = [
    ['neither JSON nor anything else', 'malformed_json'],
    ['', 'malformed_json'],
    [null, 'malformed_json'],
    [Buffer.alloc(10_000_000, 'x'), 'too_large'],
    [withNul, 'malformed_json'],
    ['\0', 'malformed_json'],
    [withEscapedNul, 'schema_invalid'],
    [Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'malformed_json'],
    [Buffer.from('"\\ud800"'), 'malformed_json'],
    ['['.repeat(100_000), 'malformed_json'],
    ['{"a":1,"a":2}', 'duplicate_key'],
    ['42', 'schema_invalid'],
  ];
  const valid = hostile.map((_, index) => agreed({ negotiationId: `beside-${index}` }));
  const batch = hostile.flatMap(([value], index) => [value, valid[index]!.envelope]);

  expect(await scene.handle(...batch)).toEqual({
    accepted: hostile.length,
    rejected: hostile.length,
    duplicates: 0,
    quarantined: 0,
    undecidable: 0,
    refusals: new Map(
      [...Map.groupBy(hostile, ([, code]) => code)].map(([code, refused]) => [code, refused.length] as const),
    ),
  });
  for (const { contractId } of valid) expect(await scene.of('settlement', contractId)).toHaveLength(1);
  for (const [value, code] of hostile) {
    // An empty value and a tombstone are the same bytes: none.
    const occurrences = value === null || value === '' ? 2 : 1;
    expect(await ofDigest('rejection', value ?? '')).toMatchObject([{ code, occurrences }]);
  }
});

describe('a value that the database refuses', () => {
  const refuseDeals = (...names: string[]): Promise<unknown> =>
    scene.sql(`
      CREATE OR REPLACE FUNCTION refuse_deal() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.negotiation_id IN (${names.map((name) => `'${name}'`).join()}) THEN
          RAISE EXCEPTION 'this value is refused' USING ERRCODE = 'numeric_value_out_of_range';
        END IF;
        RETURN NEW;
      END $$;
      CREATE OR REPLACE TRIGGER refuse_deal BEFORE INSERT ON v402.deal FOR EACH ROW EXECUTE FUNCTION refuse_deal()`);

  afterAll(() => scene.sql('DROP FUNCTION refuse_deal CASCADE'));

  test.each([1, 2, 13])('parks exactly its message out of 13, at place %d', async (place) => {
    const names = Array.from({ length: 13 }, (_, index) => `bisect-${place}-${index + 1}`);
    const poison = `bisect-${place}-${place}`;
    await refuseDeals(poison);
    const trades = names.map((negotiationId) => agreed({ negotiationId }));
    const batch = trades.map(({ envelope }) => scene.message(envelope));
    scene.alarms.take();

    expect(await scene.handler.handle(batch)).toMatchObject({ accepted: 12, undecidable: 1, rejected: 0 });
    const parked = trades[place - 1]!;
    for (const { contractId } of trades) {
      expect(await scene.of('settlement', contractId)).toHaveLength(contractId === parked.contractId ? 0 : 1);
    }
    const digest = sha256(parked.envelope);
    expect(await ofDigest('quarantine', parked.envelope)).toMatchObject([
      { reason: 'undecidable_message', code: 'undecidable_message', contract_id: null, occurrences: 1 },
    ]);
    expect(await ofDigest('raw_message', parked.envelope)).toMatchObject([{ bytes: Buffer.from(parked.envelope) }]);
    expect(await ofDigest('decision', parked.envelope)).toMatchObject([
      { outcome: 'undecidable', arrival_source: 'broker' },
    ]);
    expect(await scene.events(digest, 'rejections')).toMatchObject([
      { type: 'org.v402.contract.quarantined.v1', document: { data: { code: 'undecidable_message', held: false } } },
    ]);
    expect(scene.alarms.take()).toEqual([
      { code: 'undecidable_message', context: expect.objectContaining({ sqlState: '22003', digest }) as object },
    ]);

    const before = await scene.content();
    expect(await scene.handler.handle(batch)).toMatchObject({ accepted: 0, duplicates: 12, undecidable: 1 });
    expect(await scene.content()).toEqual(before);
    expect(await ofDigest('quarantine', parked.envelope)).toMatchObject([{ occurrences: 2 }]);
  });

  test('a batch of nothing else parks them all', async () => {
    await refuseDeals('poison-1', 'poison-2', 'poison-3');
    const values = [1, 2, 3].map((n) => agreed({ negotiationId: `poison-${n}` }).envelope);
    expect(await scene.handle(...values)).toMatchObject({ accepted: 0, undecidable: 3 });
  });

  test('once it is taken, the parked message is accepted when it is sent again', async () => {
    await refuseDeals('mended');
    const { contractId, envelope } = agreed({ negotiationId: 'mended' });
    await scene.handle(envelope);
    await refuseDeals('nobody');
    expect(await scene.handle(envelope)).toMatchObject({ accepted: 1 });
    expect(await scene.of('settlement', contractId)).toHaveLength(1);
  });
});

describe('arrival', () => {
  const EXPIRES_AT = '2026-11-22T08:00:00.000000001Z';

  test.each([
    ['at the very limit', EXPIRES_AT, { accepted: 1, rejected: 0 }],
    ['a nanosecond later', '2026-11-22T08:00:00.000000002Z', { accepted: 0, rejected: 1 }],
  ])('%s of expiresAt', async (name, at, counts) => {
    const { contractId, envelope } = agreed({
      negotiationId: `limit-${name}`.replaceAll(' ', '-'),
      expiresAt: EXPIRES_AT,
    });
    expect(await scene.handler.handle([scene.message(envelope, brokerTime(at))])).toMatchObject(counts);
    const codes = (await scene.of<{ code: string }>('rejection', contractId)).map(({ code }) => code);
    expect(codes).toEqual(counts.rejected === 1 ? ['expired'] : []);
  });

  test('a contract that was accepted in time is a duplicate after its expiry', async () => {
    const { contract, envelope } = agreed({ negotiationId: 'expired-since' });
    await scene.handle(envelope);
    const late = brokerTime(addSeconds(contract.expiresAt, 1));
    expect(await scene.handler.handle([scene.message(envelope, late)])).toMatchObject({ duplicates: 1, rejected: 0 });
  });

  test('without a broker time it is the clock of the database, at first sight', async () => {
    const { envelope } = trade({ negotiationId: 'no-broker-time' });
    const [before, after] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
    await scene.handler.handle([scene.message(envelope, { arrival: undefined })]);
    const [decision] = await ofDigest('decision', envelope);
    expect(decision).toMatchObject({ outcome: 'accepted', arrival_source: 'database' });
    expect((decision!['arrival'] as Date) > before && (decision!['arrival'] as Date) < after).toBe(true);
  });

  test('a redelivery after a lost offset has the arrival of the first sight, so it is refused alike', async () => {
    const { envelope } = trade({
      negotiationId: 'lost-offset',
      agreedAt: new Date(Date.now() + 600_000).toISOString(),
    });
    const message = scene.message(envelope, { arrival: undefined });
    const dies = scene.handlerWith({ faults: new DiesOnceAt('C2') });
    await expect(dies.handle([message])).rejects.toThrow('died at C2');
    expect(await ofDigest('rejection', envelope)).toMatchObject([{ code: 'agreed_in_future', occurrences: 1 }]);

    const anHourLater = new DecoratedUnitOfWork(scene.unitOfWork, { now: (real) => real + 3_600_000_000n });
    const later = scene.handlerWith({ unitOfWork: anHourLater });
    expect(await later.handle([message])).toMatchObject({ rejected: 1, accepted: 0 });
    expect(await ofDigest('rejection', envelope)).toMatchObject([{ code: 'agreed_in_future', occurrences: 2 }]);
    // Another record with the same bytes has an arrival of its own, and by then the contract is agreed.
    expect(await later.handle([scene.message(envelope, { arrival: undefined })])).toMatchObject({ accepted: 1 });
  });

  test('in a batch of both kinds each message has its own', async () => {
    const now = await scene.unitOfWork.run((tx) => tx.now());
    const silent = trade({ negotiationId: 'silent' });
    const told = agreed({ negotiationId: 'told' });
    await scene.handler.handle([scene.message(told.envelope), scene.message(silent.envelope, { arrival: undefined })]);
    expect(await ofDigest('decision', told.envelope)).toMatchObject([{ arrival_source: 'broker' }]);
    const [decision] = await ofDigest('decision', silent.envelope);
    expect((decision!['arrival'] as Date).getTime()).toBeGreaterThanOrEqual(Date.parse(instantOfMicros(now)) - 1);
  });
});
