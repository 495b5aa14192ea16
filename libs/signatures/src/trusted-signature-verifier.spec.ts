import {
  buildContract,
  identifyContract,
  type ContractSignature,
  type IdentifiedEnvelope,
  type SignatureDecision,
} from '@v402/contract';
import type { SettlementContract, Side } from '@v402/domain';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readPrivateKey } from './read-private-key.js';
import { signContract } from './sign-contract.js';
import type { SigningKey } from './suites/signature-suite.js';
import { loadTrustRegistry } from './trust-registry/load-trust-registry.js';
import { TrustedSignatureVerifier } from './trusted-signature-verifier.js';

const contract = buildContract();
const ARRIVAL = contract.agreedAt;

interface Agent {
  readonly key: SigningKey;
  readonly entry: object;
}

function ed25519Agent(kid: string, entry: object = {}): Agent {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    key: readPrivateKey(JSON.stringify(privateKey.export({ format: 'jwk' })), kid),
    entry: { kid, suite: 'jws', alg: 'EdDSA', publicKey: publicKey.export({ format: 'jwk' }), ...common(), ...entry },
  };
}

function accountAgent(entry: object = {}): Agent {
  const key = readPrivateKey(randomBytes(32).toString('hex'));
  return { key, entry: { kid: key.kid, suite: 'eip712', address: key.kid.slice(-42), ...common(), ...entry } };
}

function common(): object {
  return { roles: ['buyer', 'seller'], validFrom: '2025-01-01T00:00:00Z' };
}

function verifierFor(
  buyer: readonly Agent[],
  seller: readonly Agent[],
  graceSeconds?: number,
): TrustedSignatureVerifier {
  const parties = [
    { id: contract.parties.buyer.id, name: 'Buyer', keys: buyer.map(({ entry }) => entry) },
    { id: contract.parties.seller.id, name: 'Seller', keys: seller.map(({ entry }) => entry) },
  ];
  const registry = { format: 'v402-trust-registry/1', parties };
  return new TrustedSignatureVerifier(loadTrustRegistry(Buffer.from(JSON.stringify(registry))), graceSeconds);
}

function enveloped(
  signatures: readonly ContractSignature[],
  changes: Partial<SettlementContract> = {},
): IdentifiedEnvelope {
  const changed = { ...contract, ...changes };
  return { envelope: { contract: changed, signatures }, ...identifyContract(changed) };
}

function refusalOf(decision: SignatureDecision): unknown {
  return decision.ok ? undefined : decision.refusal;
}

const buyer = ed25519Agent('buyer-key');
const seller = accountAgent();
const verifier = verifierFor([buyer], [seller]);
const byBuyer = signContract(contract, 'buyer', buyer.key);
const bySeller = signContract(contract, 'seller', seller.key);

describe('trusted signature verifier', () => {
  it.each([
    ['as listed', [byBuyer, bySeller]],
    ['the seller first', [bySeller, byBuyer]],
  ])('default: keeps the keys as evidence, %s', async (_, signatures) => {
    const decision = await verifier.verify(enveloped(signatures), ARRIVAL);
    const keys = signatures.map(({ role, suite, kid }) => ({ role, suite, kid }));
    expect(decision).toMatchObject({ ok: true, keys });
    const entries = decision.ok ? decision.keys.map(({ entry }): unknown => JSON.parse(entry)) : [];
    expect(entries).toEqual(signatures.map(({ role }) => (role === 'buyer' ? buyer.entry : seller.entry)));
  });

  it('has its registry’s digest', () => {
    expect(verifier.registryDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(verifier.registryDigest).not.toBe(verifierFor([buyer], []).registryDigest);
  });

  it.each<[string, SignatureDecision | Promise<SignatureDecision>, object]>([
    [
      'a party that the registry does not have',
      verifier.verify(
        enveloped([], { parties: { ...contract.parties, seller: { id: 'did:web:stranger.example' } } }),
        ARRIVAL,
      ),
      { code: 'unknown_party', where: '/contract/parties/seller/id' },
    ],
    ['no signature', verifier.verify(enveloped([]), ARRIVAL), { code: 'signature_missing', where: '/signatures' }],
    [
      'the buyer twice and no seller: what is missing comes first',
      verifier.verify(enveloped([byBuyer, byBuyer]), ARRIVAL),
      { code: 'signature_missing', where: '/signatures' },
    ],
    [
      'a third signature',
      verifier.verify(enveloped([byBuyer, bySeller, byBuyer]), ARRIVAL),
      { code: 'signature_duplicate_role', where: '/signatures/2/role' },
    ],
    [
      'the other party’s key',
      verifier.verify(enveloped([byBuyer, { ...byBuyer, role: 'seller' }]), ARRIVAL),
      { code: 'unknown_key', where: '/signatures/1/kid' },
    ],
    [
      'another contract',
      verifier.verify(enveloped([byBuyer, bySeller], { negotiationId: 'neg-2' }), ARRIVAL),
      { code: 'signature_invalid', where: '/signatures/0/signature' },
    ],
  ])('error: %s', async (_, decision, refusal) => {
    expect(refusalOf(await decision)).toEqual(refusal);
  });
});

describe('each code is tried on both signatures before the next', () => {
  const ended = '2026-01-01T00:00:00Z';
  /** Keys and texts, each at fault in one way, in the order of section 7. */
  const faults: readonly (readonly [code: string, make: (role: Side) => { agent: Agent; text?: string }])[] = [
    ['role_not_permitted', (role) => ({ agent: accountAgent({ roles: [role === 'buyer' ? 'seller' : 'buyer'] }) })],
    ['key_not_valid', (role) => ({ agent: ed25519Agent(`${role}-ended`, { validUntil: ended }) })],
    ['key_revoked', () => ({ agent: accountAgent({ revokedAt: ended }) })],
    ['suite_unavailable', () => ({ agent: accountAgent({ account: 'contract' }) })],
    ['signature_malformed', () => ({ agent: accountAgent(), text: '0x' })],
    ['signature_invalid', () => ({ agent: accountAgent(), text: `0x${'0'.repeat(128)}1b` })],
  ];
  const pairs = faults.flatMap(([code, make], index) =>
    faults.slice(index + 1).map(([later, makeLater]) => ({ code, later, make, makeLater })),
  );

  function signatureBy(role: Side, { agent, text }: { agent: Agent; text?: string }): ContractSignature {
    const genuine = signContract(contract, role, agent.key);
    return text === undefined ? genuine : { ...genuine, signature: text };
  }

  it.each(pairs)('$code before $later', async ({ code, make, makeLater }) => {
    for (const first of ['buyer', 'seller'] as const) {
      const second = first === 'buyer' ? 'seller' : 'buyer';
      const early = make(first);
      const late = makeLater(second);
      const agents = { [first]: [early.agent], [second]: [late.agent] } as Record<Side, Agent[]>;
      const signatures = [signatureBy(second, late), signatureBy(first, early)];
      const decision = await verifierFor(agents.buyer, agents.seller).verify(enveloped(signatures), ARRIVAL);
      expect(refusalOf(decision)).toMatchObject({ code });
    }
  });
});

describe('grace', () => {
  const old = ed25519Agent('old', { revokedAt: '2026-11-21T10:16:00Z' });
  const late = enveloped([signContract(contract, 'buyer', old.key), bySeller]);

  it.each([
    ['a day by default', undefined, '2026-11-22T10:16:00Z', '2026-11-22T10:16:00.001Z'],
    ['as configured', 60, '2026-11-21T10:17:00Z', '2026-11-21T10:17:00.001Z'],
    ['none', 0, '2026-11-21T10:16:00Z', '2026-11-21T10:16:00.001Z'],
  ])('%s, the last moment included', async (_, graceSeconds, last, over) => {
    const graced = verifierFor([old], [seller], graceSeconds);
    expect(refusalOf(await graced.verify(late, last))).toBeUndefined();
    expect(refusalOf(await graced.verify(late, over))).toEqual({ code: 'key_revoked', where: '/signatures/0/kid' });
  });
});
