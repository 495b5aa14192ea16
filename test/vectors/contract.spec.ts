import {
  identifyContract,
  isExpired,
  readEnvelope,
  shortRefOf,
  SignatureVerifier,
  verifyContract,
  type SignatureDecision,
} from '@v402/contract';
import { CURRENCIES_PUBLISHED, minorDigits, REFUSAL_CODES, type Refusal } from '@v402/domain';
import { inputOf, loadCases, loadManifest, readVectorJson, resultOf, type VectorCase } from './vector-cases.js';

/** Lets every signature pass, so that the codes before and after the signatures are judged alone. */
class TrustingVerifier extends SignatureVerifier {
  readonly registryDigest = '0'.repeat(64);

  verify(): Promise<SignatureDecision> {
    return Promise.resolve({ ok: true, keys: [] });
  }
}

const READ_CODES = REFUSAL_CODES.slice(0, REFUSAL_CODES.indexOf('schema_invalid') + 1);
const RULE_CODES = REFUSAL_CODES.slice(READ_CODES.length, REFUSAL_CODES.indexOf('agreed_in_future') + 1);
const SIGNATURE_CODES = REFUSAL_CODES.slice(
  REFUSAL_CODES.indexOf('unknown_party'),
  REFUSAL_CODES.indexOf('signature_invalid') + 1,
);
const STATE_RESULTS = ['accepted', 'duplicate', 'superseded_unknown', 'negotiation_conflict', 'expired'];

const manifest = loadManifest();
const cases = loadCases();
const counted = new Map<string, number>();

function casesOf(results: readonly string[]): [string, VectorCase][] {
  return cases.filter((vector) => results.includes(resultOf(vector))).map((vector) => [vector.name, vector]);
}

function count(vector: VectorCase): void {
  counted.set(resultOf(vector), (counted.get(resultOf(vector)) ?? 0) + 1);
}

/** What the stateless steps say when every signature is trusted; undefined where nothing is refused. */
async function refusalOf(vector: VectorCase): Promise<Refusal | undefined> {
  const read = readEnvelope(inputOf(vector));
  if (!read.ok) return read.refusal;
  const context = { arrival: vector.now, handlerId: vector.handlerId, servedParties: null, requireTranscript: false };
  const decision = await verifyContract(read.identified, context, new TrustingVerifier());
  return decision.ok ? undefined : decision.refusal;
}

describe('vectors: reading an envelope', () => {
  it.each(casesOf(READ_CODES))('%s', (_, vector) => {
    count(vector);
    const read = readEnvelope(inputOf(vector));
    expect(read).toMatchObject({ ok: false, refusal: { code: resultOf(vector) } });
  });

  it.each(casesOf(['accepted', 'duplicate']))('%s', (_, vector) => {
    count(vector);
    const read = readEnvelope(inputOf(vector));
    const { contractId, shortRef } = vector.expect as Extract<VectorCase['expect'], { contractId: string }>;
    expect(read).toMatchObject({ ok: true, identified: { contractId, shortRef } });
  });
});

describe('vectors: the rules and the transcript, every signature trusted', () => {
  it.each(casesOf([...RULE_CODES, 'transcript_mismatch']))('%s', async (_, vector) => {
    count(vector);
    expect(await refusalOf(vector)).toMatchObject({ code: resultOf(vector) });
  });

  it.each(casesOf(['accepted']))('%s', async (_, vector) => {
    expect(await refusalOf(vector)).toBeUndefined();
  });
});

describe('vectors: what only signatures or state refuse is read and identified', () => {
  it.each(casesOf([...SIGNATURE_CODES, 'superseded_unknown', 'negotiation_conflict', 'expired']))('%s', (_, vector) => {
    count(vector);
    const read = readEnvelope(inputOf(vector));
    if (!read.ok) throw new Error(`${vector.name} is refused with ${read.refusal.code}.`);
    expect(read.identified).toMatchObject(identifyContract(read.identified.envelope.contract));
    expect(read.identified.shortRef).toBe(shortRefOf(read.identified.contractId));
  });

  it.each(casesOf(['expired', 'accepted']))('%s: expired or not', (_, vector) => {
    const read = readEnvelope(inputOf(vector));
    if (!read.ok) throw new Error(`${vector.name} is refused with ${read.refusal.code}.`);
    expect(isExpired(read.identified.envelope.contract, vector.now)).toBe(resultOf(vector) === 'expired');
  });
});

describe('vectors: completeness', () => {
  it('has checked as many cases of every result as the manifest counts', () => {
    expect(Object.fromEntries(counted)).toEqual(manifest.byResult);
    expect([...counted.values()].reduce((sum, cases) => sum + cases, 0)).toBe(manifest.count);
    expect(Object.keys(manifest.byResult).sort()).toEqual(
      [...READ_CODES, ...RULE_CODES, ...SIGNATURE_CODES, 'transcript_mismatch', ...STATE_RESULTS].sort(),
    );
  });

  it('settles in the currencies of the table and in no other', () => {
    const table = readVectorJson('currencies.json') as { published: string; currencies: Record<string, number> };
    const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
    const codes = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
    const known = codes.flatMap((code) => (minorDigits(code) === undefined ? [] : [[code, minorDigits(code)]]));
    expect(Object.fromEntries(known)).toEqual(table.currencies);
    expect(CURRENCIES_PUBLISHED).toBe(table.published);
  });
});
