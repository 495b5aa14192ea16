import { buildContract, identifyContract, SignatureVerifier, type SignatureDecision } from '@v402/contract';
import { addSeconds, type SettlementContract } from '@v402/domain';
import { judge, verdictText, type Verdict } from './verdict.js';

class Answering extends SignatureVerifier {
  readonly registryDigest = '0'.repeat(64);

  constructor(private readonly decision: SignatureDecision) {
    super();
  }

  verify(): Promise<SignatureDecision> {
    return Promise.resolve(this.decision);
  }
}

const genuine = new Answering({ ok: true, keys: [] });
const bytesOf = (contract: SettlementContract): Uint8Array =>
  Buffer.from(JSON.stringify({ contract, signatures: [] }), 'utf8');
const contextAt = (arrival: string) => ({ arrival, handlerId: null, servedParties: null, requireTranscript: false });

const contract = buildContract({ agreedAt: '2026-11-21T10:15:30.120Z' });
const { contractId, shortRef } = identifyContract(contract);
const inTime = contextAt(contract.agreedAt);

test('an accepted contract has its identity and no code', async () => {
  expect(await judge(bytesOf(contract), inTime, genuine)).toEqual({
    outcome: 'accepted',
    code: null,
    where: null,
    contractId,
    shortRef,
    now: contract.agreedAt,
    notes: [],
  });
});

test('what is no envelope has no identity', async () => {
  expect(await judge(Buffer.from('{'), inTime, genuine)).toMatchObject({
    outcome: 'rejected',
    code: 'malformed_json',
    contractId: null,
    shortRef: null,
  });
});

test('the refusal of a signature is handed on with its place', async () => {
  const forged = new Answering({ ok: false, refusal: { code: 'signature_invalid', where: '/signatures/0/signature' } });
  expect(await judge(bytesOf(contract), inTime, forged)).toMatchObject({
    code: 'signature_invalid',
    where: '/signatures/0/signature',
    contractId,
  });
});

test('arriving at expiresAt is in time, after it is not; a wrong signature is said first', async () => {
  expect(await judge(bytesOf(contract), contextAt(contract.expiresAt), genuine)).toMatchObject({ outcome: 'accepted' });
  const late = contextAt(addSeconds(contract.expiresAt, 1));
  expect(await judge(bytesOf(contract), late, genuine)).toMatchObject({
    code: 'expired',
    where: '/contract/expiresAt',
  });
  const forged = new Answering({ ok: false, refusal: { code: 'signature_invalid' } });
  expect(await judge(bytesOf(contract), late, forged)).toMatchObject({ code: 'signature_invalid', where: null });
});

test('an amendment is judged by itself, and the note says so', async () => {
  const amendment = buildContract({ agreedAt: contract.agreedAt, supersedes: contractId });
  const { outcome, notes } = await judge(bytesOf(amendment), inTime, genuine);
  expect(outcome).toBe('accepted');
  expect(notes).toEqual([expect.stringContaining('superseded_unknown')]);
});

describe('as text', () => {
  const accepted: Verdict = {
    outcome: 'accepted',
    code: null,
    where: null,
    contractId: 'aa',
    shortRef: 'BB',
    now: '2026-11-21T10:15:30Z',
    notes: ['Mind this.'],
  };

  test('accepted', () => {
    expect(verdictText(accepted)).toBe('accepted\ncontractId  aa\nshortRef    BB\nnote: Mind this.\n');
  });

  test('refused, with and without a place', () => {
    const refused = { ...accepted, outcome: 'rejected', contractId: null, shortRef: null, notes: [] } as const;
    expect(verdictText({ ...refused, code: 'schema_invalid', where: '/contract/terms' })).toBe(
      'rejected: schema_invalid at /contract/terms\n',
    );
    expect(verdictText({ ...refused, code: 'malformed_json', where: '' })).toBe('rejected: malformed_json\n');
  });

  test('a place does nothing to the terminal', () => {
    const hostile = { ...accepted, code: 'schema_invalid', where: '/contract/\u001b[31mX' } as const;
    expect(verdictText(hostile)).toContain(String.raw`/contract/\u{1b}[31mX`);
  });
});
