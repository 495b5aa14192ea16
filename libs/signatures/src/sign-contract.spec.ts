import {
  buildContract,
  buildTranscript,
  readEnvelope,
  verifyContract,
  type ContractSignature,
  type SettlementEnvelope,
} from '@v402/contract';
import type { SettlementContract, Side } from '@v402/domain';
import fc from 'fast-check';
import { createECDH, createPrivateKey, type JsonWebKey } from 'node:crypto';
import { readPrivateKey } from './read-private-key.js';
import { sealEnvelope } from './sign-contract.js';
import type { SigningKey } from './suites/signature-suite.js';
import { loadTrustRegistry } from './trust-registry/load-trust-registry.js';
import { TrustedSignatureVerifier } from './trusted-signature-verifier.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

interface Agent {
  readonly key: SigningKey;
  readonly entry: object;
}

const PKCS8_OF_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const makers = {
  eip712: (secret: Buffer): Agent => {
    const key = readPrivateKey(secret.toString('hex'));
    return { key, entry: { suite: 'eip712', kid: key.kid, address: key.kid.slice(-42) } };
  },
  EdDSA: (secret: Buffer, role: Side): Agent => {
    const der = Buffer.concat([PKCS8_OF_ED25519, secret]);
    return jwsAgent(
      'EdDSA',
      createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' }),
      role,
    );
  },
  ES256: (secret: Buffer, role: Side): Agent => {
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(secret);
    const point = pair.getPublicKey();
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url')) as [
      string,
      string,
    ];
    return jwsAgent('ES256', { kty: 'EC', crv: 'P-256', x, y, d: secret.toString('base64url') }, role);
  },
};

function jwsAgent(alg: string, jwk: JsonWebKey, role: Side): Agent {
  const kid = `did:web:${role}.example#1`;
  const publicKey = { ...jwk, d: undefined };
  return { key: readPrivateKey(JSON.stringify(jwk), kid), entry: { suite: 'jws', kid, alg, publicKey } };
}

function verifierFor(contract: SettlementContract, agents: Record<Side, Agent>): TrustedSignatureVerifier {
  const parties = (['buyer', 'seller'] as const).map((role) => ({
    id: contract.parties[role].id,
    name: role,
    keys: [{ ...agents[role].entry, roles: [role], validFrom: '2025-01-01T00:00:00Z' }],
  }));
  const text = JSON.stringify({ format: 'v402-trust-registry/1', parties });
  return new TrustedSignatureVerifier(loadTrustRegistry(Buffer.from(text)));
}

/** The refusal code of the whole way from bytes, or `accepted`. */
async function judge(bytes: Uint8Array, verifier: TrustedSignatureVerifier): Promise<string> {
  const read = readEnvelope(bytes);
  if (!read.ok) return read.refusal.code;
  const arrival = '2026-11-21T10:16:00Z';
  const context = { arrival, handlerId: null, servedParties: null, requireTranscript: false };
  const decision = await verifyContract(read.identified, context, verifier);
  return decision.ok ? 'accepted' : decision.refusal.code;
}

// A secret of 31 bytes lies below the order of every curve.
const secret = fc.uint8Array({ minLength: 31, maxLength: 31 }).filter((bytes) => bytes.some((byte) => byte !== 0));
const agent = fc.record({
  maker: fc.constantFrom(...(Object.keys(makers) as (keyof typeof makers)[])),
  secret: secret.map((bytes) => Buffer.concat([Buffer.alloc(1), bytes])),
});
const agents = fc
  .record({ buyer: agent, seller: agent })
  .filter(({ buyer, seller }) => !buyer.secret.equals(seller.secret))
  .map(({ buyer, seller }): Record<Side, Agent> => ({
    buyer: makers[buyer.maker](buyer.secret, 'buyer'),
    seller: makers[seller.maker](seller.secret, 'seller'),
  }));
const contracts = fc
  .record({
    negotiationId: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/),
    name: fc.stringMatching(/^[ -~À-ÿ一-龥]{1,40}$/),
  })
  .map(({ negotiationId, name }) =>
    buildContract({ negotiationId, parties: { buyer: { id: 'did:web:buyer.example', name } } }),
  );

describe(`sealed envelopes (PROPERTY_SEED=${seed})`, () => {
  it('verify, whoever signs with what', async () => {
    await fc.assert(
      fc.asyncProperty(contracts, agents, async (contract, both) => {
        const bytes = sealEnvelope(contract, { buyer: both.buyer.key, seller: both.seller.key });
        expect(await judge(bytes, verifierFor(contract, both))).toBe('accepted');
      }),
      { seed, numRuns: 40 },
    );
  });

  it('do not verify once any bit of any byte has flipped', async () => {
    await fc.assert(
      fc.asyncProperty(contracts, agents, fc.nat(), fc.nat(7), async (contract, both, position, bit) => {
        const bytes = Buffer.from(sealEnvelope(contract, { buyer: both.buyer.key, seller: both.seller.key }));
        const at = position % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        expect(await judge(bytes, verifierFor(contract, both))).not.toBe('accepted');
      }),
      { seed, numRuns: 120 },
    );
  });

  it('do not verify once any bit of a signature’s text has flipped', async () => {
    await fc.assert(
      fc.asyncProperty(
        contracts,
        agents,
        fc.nat(),
        fc.nat(6),
        fc.nat(1),
        async (contract, both, position, bit, which) => {
          const bytes = sealEnvelope(contract, { buyer: both.buyer.key, seller: both.seller.key });
          const envelope = JSON.parse(Buffer.from(bytes).toString('utf8')) as SettlementEnvelope;
          const flipped = envelope.signatures.map((signature, index): ContractSignature =>
            index === which ? { ...signature, signature: flip(signature.signature, position, bit) } : signature,
          );
          const tampered = Buffer.from(JSON.stringify({ ...envelope, signatures: flipped }));
          expect(['signature_malformed', 'signature_invalid', 'schema_invalid']).toContain(
            await judge(tampered, verifierFor(contract, both)),
          );
        },
      ),
      { seed, numRuns: 120 },
    );
  });

  it('carry the transcript', async () => {
    const transcript = buildTranscript({ rounds: 2, agreedAt: '2026-11-21T10:15:30.120Z' });
    const contract = buildContract({ transcript });
    const both = { buyer: makers.EdDSA(Buffer.alloc(32, 1), 'buyer'), seller: makers.eip712(Buffer.alloc(32, 2)) };
    const bytes = sealEnvelope(contract, { buyer: both.buyer.key, seller: both.seller.key }, transcript);
    expect(JSON.parse(Buffer.from(bytes).toString('utf8'))).toMatchObject({ transcript });
    expect(await judge(bytes, verifierFor(contract, both))).toBe('accepted');
  });
});

function flip(text: string, position: number, bit: number): string {
  const bytes = Buffer.from(text, 'ascii');
  const at = position % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
  return bytes.toString('ascii');
}
