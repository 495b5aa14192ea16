import { RetryableError, type Instant, type Refusal } from '@v402/domain';
import { buildContract, type ContractDraft } from './builder/contract.builder.js';
import { buildTranscript } from './builder/transcript.builder.js';
import { canonicalBytes } from './canonical.js';
import type { IdentifiedEnvelope, SettlementEnvelope } from './envelope.js';
import { isExpired } from './rules.js';
import { SignatureVerifier, type KeyEvidence, type SignatureDecision } from './signature-verifier.js';
import { readEnvelope, verifyContract, type VerificationContext } from './verify-contract.js';

const KEYS: readonly KeyEvidence[] = [{ role: 'buyer', suite: 'jws', kid: 'k', entry: '{}' }];
const CONTEXT: VerificationContext = {
  arrival: '2026-11-21T10:16:00Z',
  handlerId: 'handler-1',
  servedParties: null,
  requireTranscript: false,
};

class ScriptedVerifier extends SignatureVerifier {
  readonly registryDigest = '0'.repeat(64);
  readonly arrivals: Instant[] = [];

  constructor(private readonly answer: SignatureDecision | Error = { ok: true, keys: KEYS }) {
    super();
  }

  verify(_: IdentifiedEnvelope, arrival: Instant): Promise<SignatureDecision> {
    this.arrivals.push(arrival);
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer);
  }
}

function identified(envelope: Partial<SettlementEnvelope> = {}): IdentifiedEnvelope {
  const read = readEnvelope(canonicalBytes({ contract: buildContract(), signatures: [], ...envelope }));
  if (!read.ok) throw new Error(`${read.refusal.code} at ${String(read.refusal.where)}`);
  return read.identified;
}

async function refusalOf(
  envelope: Partial<SettlementEnvelope>,
  context: Partial<VerificationContext> = {},
  verifier = new ScriptedVerifier(),
): Promise<Refusal | undefined> {
  const decision = await verifyContract(identified(envelope), { ...CONTEXT, ...context }, verifier);
  return decision.ok ? undefined : decision.refusal;
}

function drafted(draft: ContractDraft): Partial<SettlementEnvelope> {
  return { contract: buildContract(draft) };
}

describe('verifying a contract', () => {
  it('default: returns the keys and hands the arrival to the verifier', async () => {
    const verifier = new ScriptedVerifier();
    expect(await verifyContract(identified(), CONTEXT, verifier)).toEqual({ ok: true, keys: KEYS });
    expect(verifier.arrivals).toEqual([CONTEXT.arrival]);
  });

  it('behavior: a broken rule is said before any signature is looked at', async () => {
    const verifier = new ScriptedVerifier(new RetryableError('endpoint_down', 'The endpoint is down.'));
    const contract = buildContract();
    const broken = { ...contract, terms: { ...contract.terms, total: '616.99' } };
    expect(await refusalOf({ contract: broken }, {}, verifier)).toEqual({
      code: 'arithmetic_mismatch',
      where: '/contract/terms/total',
    });
    expect(verifier.arrivals).toEqual([]);
  });

  it('behavior: a refused signature is said before the transcript', async () => {
    const verifier = new ScriptedVerifier({ ok: false, refusal: { code: 'signature_invalid' } });
    expect(await refusalOf({ transcript: [] }, {}, verifier)).toEqual({ code: 'signature_invalid' });
    expect(await refusalOf({ transcript: [] })).toEqual({ code: 'transcript_mismatch', where: '/transcript' });
  });

  it('error: passes on that a suite is away for now', async () => {
    const away = new RetryableError('endpoint_down', 'The endpoint is down.');
    await expect(verifyContract(identified(), CONTEXT, new ScriptedVerifier(away))).rejects.toBe(away);
  });

  it('requires a transcript only where the handler is configured so', async () => {
    const transcript = buildTranscript({ rounds: 7, agreedAt: '2026-11-21T10:15:30.120Z' });
    const contract = buildContract({ transcript });
    expect(await refusalOf({ contract }, { requireTranscript: true })).toEqual({
      code: 'transcript_mismatch',
      where: '/transcript',
    });
    expect(await refusalOf({ contract, transcript }, { requireTranscript: true })).toBeUndefined();
    expect(await refusalOf({ contract, transcript: transcript.slice(1) })).toMatchObject({
      code: 'transcript_mismatch',
    });
  });

  it('points at the message that breaks the chain', async () => {
    const agreedAt = '2026-11-21T10:15:30.120Z';
    const transcript = buildTranscript({ rounds: 1, agreedAt });
    const contract = buildContract({ transcript });
    const tampered = transcript.map((message) => (message.seq === 2 ? { ...message, body: { days: 3 } } : message));
    expect(await refusalOf({ contract, transcript: tampered })).toEqual({
      code: 'transcript_mismatch',
      where: '/transcript/3',
    });
  });

  it('settles only for the parties that it serves, where they are configured', async () => {
    const served = (...servedParties: string[]): Promise<Refusal | undefined> => refusalOf({}, { servedParties });
    expect(await served('did:web:seller.example')).toBeUndefined();
    expect(await served('did:web:other.example', 'did:web:buyer.example')).toBeUndefined();
    expect(await served('did:web:other.example')).toEqual({ code: 'audience_mismatch', where: '/contract/parties' });
    expect(await served()).toEqual({ code: 'audience_mismatch', where: '/contract/parties' });
  });

  it('refuses every audience where the handler has no id', async () => {
    const forHandler = drafted({ audience: 'handler-1' });
    expect(await refusalOf(forHandler)).toBeUndefined();
    expect(await refusalOf(forHandler, { handlerId: null })).toEqual({
      code: 'audience_mismatch',
      where: '/contract/audience',
    });
  });

  it('allows an agreement 300 s ahead of the arrival, and not a nanosecond more', async () => {
    const contract = drafted({ agreedAt: '2026-11-21T10:15:30.000000001Z' });
    expect(await refusalOf(contract, { arrival: '2026-11-21T10:10:30.000000001Z' })).toBeUndefined();
    expect(await refusalOf(contract, { arrival: '2026-11-21T10:10:30Z' })).toEqual({
      code: 'agreed_in_future',
      where: '/contract/agreedAt',
    });
  });

  it('expires after expiresAt, not at it', () => {
    const contract = buildContract({ expiresAt: '2026-11-22T10:15:30.5Z' });
    expect(isExpired(contract, '2026-11-22T10:15:30.50Z')).toBe(false);
    expect(isExpired(contract, '2026-11-22T10:15:30.5000001Z')).toBe(true);
  });
});
