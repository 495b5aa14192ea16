import { coordinatesKey, rejectionKey, type DecidedMessage } from '@v402/application';
import pg from 'pg';
import type { TestDatabase } from '../support/database.js';
import { aDecision, anEquivocation, aRawMessage, aRejection, sha256 } from '../support/records.js';
import { StoreScene } from '../support/store-scene.js';

/** Real: PostgreSQL. The store of evidence, as its port describes it. */
let stores: StoreScene;
let database: TestDatabase;
let rowsOf: StoreScene['rowsOf'];
let run: StoreScene['run'];

beforeAll(async () => {
  stores = await StoreScene.open();
  ({ database, rowsOf, run } = stores);
});

afterAll(() => stores.close());

describe('evidence', () => {
  test('raw bytes are kept once, as they came', async () => {
    const raw = { ...aRawMessage('raw'), bytes: Uint8Array.of(0, 1, 255, 92), size: 2_000_000, truncated: true };
    await run((tx) => tx.evidence.keepRaw([raw]));
    await run((tx) => tx.evidence.keepRaw([{ ...raw, bytes: Uint8Array.of(7) }, aRawMessage('raw 2')]));
    const sql = 'SELECT bytes, size, truncated FROM v402.raw_message WHERE digest = $1';
    expect(await rowsOf(sql, Buffer.from(raw.digest, 'hex'))).toEqual([
      { bytes: Buffer.from([0, 1, 255, 92]), size: 2_000_000, truncated: true },
    ]);
  });

  test('decisions: an earlier arrival is found by coordinates and content, the first one first', async () => {
    const raw = aRawMessage('decided');
    const coordinates = { topic: 'decided', partition: 3, offset: 9_007_199_254_740_993n };
    const first = aDecision(raw, { coordinates, contractId: sha256('decided'), code: 'x' });
    await run(async (tx) => {
      await tx.evidence.keepRaw([raw]);
      await tx.evidence.recordDecisions([first]);
      await tx.evidence.recordDecisions([
        aDecision(raw, { coordinates, arrival: { at: '2027-01-01T00:00:00Z', source: 'database' } }),
      ]);
    });
    const asked = { coordinates, rawDigest: raw.digest };
    const absent = { ...asked, coordinates: { ...coordinates, offset: 2n } };
    expect(await run((tx) => tx.evidence.earlierArrivals([asked, absent]))).toEqual(
      new Map([[coordinatesKey(coordinates), first.arrival]]),
    );
    const other = { ...asked, rawDigest: sha256('another message at the same place of a topic made anew') };
    expect(await run((tx) => tx.evidence.earlierArrivals([other]))).toEqual(new Map());
    const sql =
      "SELECT outcome, code, keys, code_version FROM v402.decision WHERE topic = 'decided' ORDER BY id LIMIT 1";
    expect(await rowsOf(sql)).toEqual([{ outcome: 'accepted', code: 'x', keys: first.keys, code_version: '0.1.0' }]);
  });

  test('rejections: new ones are told from repeated ones, which are counted', async () => {
    const [one, two] = [aRejection(aRawMessage('one')), aRejection(aRawMessage('two'), { occurrences: 3 })];
    expect(await run((tx) => tx.evidence.recordRejections([one]))).toEqual(new Set([rejectionKey(one)]));
    expect(await run((tx) => tx.evidence.recordRejections([one, two]))).toEqual(new Set([rejectionKey(two)]));
    const otherCode = { ...one, code: 'same_party' } as const;
    expect(await run((tx) => tx.evidence.recordRejections([two, otherCode]))).toEqual(
      new Set([rejectionKey(otherCode)]),
    );
    const digests = [one, two].map((rejection) => Buffer.from(rejection.rawDigest, 'hex'));
    const sql = 'SELECT code, occurrences FROM v402.rejection WHERE raw_digest = ANY ($1) ORDER BY occurrences, code';
    expect(await rowsOf(sql, digests)).toEqual([
      { code: 'same_party', occurrences: 1 },
      { code: 'expired', occurrences: 2 },
      { code: 'expired', occurrences: 6 },
    ]);
  });

  test('quarantine: one entry per equivocating contract, repeated ones counted', async () => {
    const contractId = sha256('equivocation');
    await run((tx) => tx.evidence.quarantine([anEquivocation(contractId)]));
    await run((tx) => tx.evidence.quarantine([anEquivocation(contractId), anEquivocation(sha256('equivocation 2'))]));
    await run((tx) => tx.evidence.countQuarantined(new Map([[contractId, 4]])));
    expect(await run((tx) => tx.evidence.quarantined([contractId, sha256('absent')]))).toEqual(new Set([contractId]));
    const sql = 'SELECT occurrences FROM v402.quarantine WHERE contract_id = $1';
    expect(await rowsOf(sql, Buffer.from(contractId, 'hex'))).toEqual([{ occurrences: 5 }]);
  });

  test('quarantine: an undecidable message is parked once and counted', async () => {
    const rawDigest = sha256('undecidable');
    const park = (id: string) => run((tx) => tx.evidence.quarantineUndecidable({ id, rawDigest }));
    expect(await park('7b0e4b3e-4bb1-4b43-8a5a-3ec9f5b0a001')).toBe(1);
    expect(await park('7b0e4b3e-4bb1-4b43-8a5a-3ec9f5b0a002')).toBeUndefined();
    const sql = 'SELECT reason, occurrences FROM v402.quarantine WHERE raw_digest = $1';
    expect(await rowsOf(sql, Buffer.from(rawDigest, 'hex'))).toEqual([
      { reason: 'undecidable_message', occurrences: 2 },
    ]);
  });

  test('marks of the input never go back', async () => {
    const decided = (offset: bigint, partition = 0): DecidedMessage => ({
      coordinates: { topic: 'offsets', partition, offset },
      rawDigest: sha256(`${partition}/${offset}`),
    });
    await run((tx) => tx.input.advance([decided(5n), decided(7n), decided(6n), decided(1n, 1)]));
    await run((tx) => tx.input.advance([decided(2n), decided(9_007_199_254_740_993n, 1)]));
    expect(await run((tx) => tx.input.marks('offsets'))).toMatchObject([
      { partition: 0, next: 8n, last: { offset: 7n, digest: sha256('0/7') } },
      { partition: 1, next: 9_007_199_254_740_994n, last: { offset: 9_007_199_254_740_993n } },
    ]);
    expect(await run((tx) => tx.input.marks('other topic'))).toEqual([]);
  });

  test('the role cannot change or delete evidence', async () => {
    const app = new pg.Client({ connectionString: database.appUrl });
    await app.connect();
    for (const table of ['event', 'decision', 'raw_message', 'rejection', 'quarantine', 'settlement']) {
      await expect(app.query(`DELETE FROM v402.${table}`)).rejects.toMatchObject({ code: '42501' });
    }
    await expect(app.query("UPDATE v402.event SET type = 'x'")).rejects.toMatchObject({ code: '42501' });
    await expect(app.query("UPDATE v402.settlement SET canonical = ''")).rejects.toMatchObject({ code: '42501' });
    await app.end();
  });
});
