import { join } from 'node:path';
import { TrustedSignatureVerifier } from '@v402/signatures';
import { checksOf, shortfallsOf, type Check } from '../../apps/cli/src/conformance/checks.js';
import { IntakeUnderTest } from '../../apps/cli/src/conformance/intake-under-test.js';
import { runChecks } from '../../apps/cli/src/conformance/run-checks.js';
import { readVectors, type VectorCase } from '../../apps/cli/src/conformance/vectors.js';
import { testPostgresUrl } from '../support/database.js';

/** Real: PostgreSQL, the repositories, the handler, the signatures. Given: when each message arrives. */
const vectors = await readVectors(join(import.meta.dirname, '../vectors/data'));
let intake: IntakeUnderTest;

beforeAll(async () => {
  intake = await IntakeUnderTest.start(testPostgresUrl(), new TrustedSignatureVerifier(vectors.trustRegistry));
});

afterAll(async () => {
  await intake.close();
});

const aCase = (name: string): VectorCase => {
  const vector = vectors.cases.get(name);
  if (vector === undefined) throw new Error(`There is no case ${name}.`);
  return vector;
};

/** The check of a case that was changed, among the others as they are. */
const checkOf = (changed: VectorCase): Check => {
  const checks = checksOf({ ...vectors, cases: new Map([...vectors.cases, [changed.name, changed]]) });
  return checks.find(({ name }) => name === changed.name)!;
};

describe('every vector, through the handler into the database', () => {
  const ran: Check[] = [];

  test.each(checksOf(vectors).map((check): [string, Check] => [check.name, check]))('%s', async (_, check) => {
    expect(await check.run(intake)).toBeUndefined();
    ran.push(check);
  });

  test('as many as the manifest counts, in all and by result', () => {
    expect(ran).toHaveLength(vectors.manifest.count + vectors.manifest.registries);
    expect(shortfallsOf(vectors, ran)).toEqual([]);
  });
});

describe('the check itself can fail', () => {
  const accepted = [...vectors.cases.values()].find(({ expect: { outcome } }) => outcome === 'accepted')!;
  const duplicate = [...vectors.cases.values()].find(({ expect: { outcome } }) => outcome === 'duplicate')!;
  const rejected = [...vectors.cases.values()].find(({ expect: { outcome } }) => outcome === 'rejected')!;

  test('an accepted contract that should be refused', async () => {
    const expected = { outcome: 'rejected', code: 'expired' } as const;
    expect(await checkOf({ ...accepted, expect: expected }).run(intake)).toMatchObject({
      expected: 'rejected expired',
      got: expect.stringMatching(/^accepted [0-9a-f]{64} [0-9A-Z]{26}$/) as string,
    });
  });

  test('another code', async () => {
    const expected = { outcome: 'rejected', code: 'same_party' } as const;
    const mismatch = await checkOf({ ...rejected, expect: expected }).run(intake);
    expect(mismatch?.expected).toBe('rejected same_party');
    expect(mismatch?.got).toMatch(/^rejected (?!same_party)/);
  });

  test('another contractId', async () => {
    const expected = { outcome: 'accepted', contractId: '0'.repeat(64), shortRef: '0'.repeat(26) } as const;
    expect((await checkOf({ ...accepted, expect: expected }).run(intake))?.got).toMatch(/^accepted/);
  });

  test('a duplicate without what it repeats, and one that comes first and ends otherwise', async () => {
    expect((await checkOf({ ...duplicate, after: [] }).run(intake))?.got).not.toMatch(/^duplicate/);
    const early = aCase(duplicate.after[0]!);
    const renamed = {
      ...vectors,
      cases: new Map([...vectors.cases, [early.name, { ...early, now: '9999-01-01T00:00:00Z' }]]),
    };
    const check = checksOf(renamed).find(({ name }) => name === duplicate.name)!;
    expect((await check.run(intake))?.got).toContain(`of ${early.name}, which comes before it`);
  });

  test('a registry with a fault that the loader does not see', async () => {
    const good = vectors.registries.find(({ problems }) => problems.length === 0)!;
    const [check] = checksOf({ ...vectors, registries: [{ ...good, problems: ['/format'] }] });
    expect(await check!.run(intake)).toEqual({ expected: 'faults at /format', got: 'good' });
  });

  test('a run that lacks cases says so, and counts it as failed', async () => {
    const lines: string[] = [];
    const few = { ...vectors, registries: [], cases: new Map([[accepted.name, accepted]]) };
    const counts = await runChecks(few, intake, (line) => lines.push(line));
    expect(counts.passed).toBe(1);
    expect(lines[0]).toBe(`ok ${accepted.name}`);
    expect(lines).toContain('FAILED manifest.json: expected 18 registries, got 0');
    expect(lines).toContain('FAILED manifest.json: expected 777 cases, got 1');
    expect(lines.at(-1)).toBe(`1 passed, ${counts.failed} failed`);
    expect(counts.failed).toBe(lines.length - 2);
  });

  test('a failing case has its line', async () => {
    const lines: string[] = [];
    const expected = { outcome: 'rejected', code: 'expired' } as const;
    const few = { ...vectors, registries: [], cases: new Map([[accepted.name, { ...accepted, expect: expected }]]) };
    await runChecks(few, intake, (line) => lines.push(line));
    expect(lines[0]).toMatch(new RegExp(`^FAILED ${accepted.name}: expected rejected expired, got accepted `));
  });
});
