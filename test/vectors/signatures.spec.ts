import {
  isExpired,
  readEnvelope,
  verifyContract,
  type ContractSignature,
  type IdentifiedEnvelope,
  type JsonValue,
  type SettlementEnvelope,
} from '@v402/contract';
import type { RefusalCode, SettlementContract, Side } from '@v402/domain';
import {
  loadTrustRegistry,
  readPrivateKey,
  signContract,
  TrustedSignatureVerifier,
  TrustRegistryError,
  type SigningKey,
} from '@v402/signatures';
import { readdirSync } from 'node:fs';
import { inputOf, loadCases, loadManifest, readVectorJson, resultOf, type VectorCase } from './vector-cases.js';

interface VectorKey {
  readonly label: string;
  readonly kind: 'eip712' | 'ed25519' | 'es256';
  readonly kid: string;
  readonly privateKeyHex: string;
  readonly privateJwk?: JsonValue;
}

interface VectorRegistry {
  readonly name: string;
  readonly registry: JsonValue;
  readonly problems: readonly string[];
}

function bytesOf(json: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(json), 'utf8');
}

const manifest = loadManifest();
const cases = loadCases();
const casesByName = new Map(cases.map((vector) => [vector.name, vector]));
const verifier = new TrustedSignatureVerifier(loadTrustRegistry(bytesOf(readVectorJson('trust-registry.json'))));

/** Sections 5 and 7 as far as they need a memory: what was accepted, what is current in each deal, what is in quarantine. */
class Memory {
  private readonly dealOfAccepted = new Map<string, string>();
  private readonly currentOfDeal = new Map<string, string>();
  private readonly quarantined = new Set<string>();

  async handle(vector: VectorCase): Promise<VectorCase['expect']> {
    const read = readEnvelope(inputOf(vector));
    if (!read.ok) return { outcome: 'rejected', code: read.refusal.code };
    const { contractId, shortRef } = read.identified;
    if (this.dealOfAccepted.has(contractId)) return { outcome: 'duplicate', contractId, shortRef };
    if (this.quarantined.has(contractId)) return { outcome: 'quarantined', code: 'negotiation_conflict' };
    const context = { arrival: vector.now, handlerId: vector.handlerId, servedParties: null, requireTranscript: false };
    const decision = await verifyContract(read.identified, context, verifier);
    const code = decision.ok ? this.accept(read.identified, vector.now) : decision.refusal.code;
    if (code === undefined) return { outcome: 'accepted', contractId, shortRef };
    return { outcome: code === 'negotiation_conflict' ? 'quarantined' : 'rejected', code };
  }

  private accept({ envelope, contractId }: IdentifiedEnvelope, arrival: string): RefusalCode | undefined {
    const { contract } = envelope;
    const deal = JSON.stringify([contract.negotiationId, contract.parties.buyer.id, contract.parties.seller.id]);
    const base = contract.supersedes;
    if (base !== undefined && this.dealOfAccepted.get(base) !== deal) return 'superseded_unknown';
    if (this.currentOfDeal.get(deal) !== base) {
      this.quarantined.add(contractId);
      return 'negotiation_conflict';
    }
    if (isExpired(contract, arrival)) return 'expired';
    this.dealOfAccepted.set(contractId, deal);
    this.currentOfDeal.set(deal, contractId);
    return undefined;
  }
}

describe('vectors: every case from its bytes to its outcome', () => {
  const counted = new Map<string, number>();

  it.each(cases.map((vector): [string, VectorCase] => [vector.name, vector]))('%s', async (_, vector) => {
    const memory = new Memory();
    for (const name of vector.after ?? []) {
      const earlier = casesByName.get(name)!;
      expect(await memory.handle(earlier)).toEqual(earlier.expect);
    }
    expect(await memory.handle(vector)).toEqual(vector.expect);
    counted.set(resultOf(vector), (counted.get(resultOf(vector)) ?? 0) + 1);
  });

  it('has judged as many cases as the manifest says, in all and by result', () => {
    expect(cases).toHaveLength(manifest.count);
    expect(Object.fromEntries(counted)).toEqual(manifest.byResult);
  });
});

describe('vectors: trust registries', () => {
  const folder = new URL('./data/registries/', import.meta.url);
  const registries = readdirSync(folder).map((file) => readVectorJson(`registries/${file}`) as VectorRegistry);

  function problemsOf(registry: JsonValue): readonly string[] {
    try {
      loadTrustRegistry(bytesOf(registry));
      return [];
    } catch (error) {
      if (error instanceof TrustRegistryError) return error.problems;
      throw error;
    }
  }

  it.each(registries.map((vector): [string, VectorRegistry] => [vector.name, vector]))('%s', (_, vector) => {
    expect(problemsOf(vector.registry)).toEqual(vector.problems);
  });

  it('are as many as the manifest says, good ones and bad', () => {
    expect(registries).toHaveLength(manifest.registries);
    expect(registries.filter(({ problems }) => problems.length === 0).map(({ name }) => name)).toEqual(['good']);
  });
});

describe('vectors: signing with their keys', () => {
  const { keys } = readVectorJson('keys.json') as { readonly keys: readonly VectorKey[] };
  const kinds = new Map(keys.map(({ kid, kind }) => [kid, kind]));
  const signingKeys = new Map(keys.map((key): [string, SigningKey] => [key.kid, signingKeyOf(key)]));
  /** ES256 signatures differ each time, and so cannot be compared with those of the vectors. */
  const deterministic = new Set(keys.filter(({ kind }) => kind !== 'es256').map(({ kid }) => kid));
  const accepted = cases.filter(({ expect }) => expect.outcome === 'accepted').map(envelopeOf);

  function signingKeyOf({ kid, privateKeyHex, privateJwk }: VectorKey): SigningKey {
    return readPrivateKey(privateJwk === undefined ? privateKeyHex : JSON.stringify(privateJwk), kid);
  }

  function envelopeOf(vector: VectorCase): IdentifiedEnvelope {
    const read = readEnvelope(inputOf(vector));
    if (!read.ok) throw new Error(`${vector.name} cannot be read.`);
    return read.identified;
  }

  function resign({ contract, signatures }: SettlementEnvelope): readonly ContractSignature[] {
    return signatures.map(({ role, kid }) => signContract(contract, role, signingKeys.get(kid)!));
  }

  it('makes the same EIP-712 and Ed25519 signatures, byte for byte', () => {
    const compared = accepted.flatMap(({ envelope }) => {
      const expected = envelope.signatures.filter(({ kid }) => deterministic.has(kid));
      expect(resign(envelope).filter(({ kid }) => deterministic.has(kid))).toEqual(expected);
      return expected.map(({ kid }) => kinds.get(kid));
    });
    expect(compared.filter((kind) => kind === 'eip712').length).toBeGreaterThan(100);
    expect(compared.filter((kind) => kind === 'ed25519').length).toBeGreaterThan(100);
  });

  it('makes ES256 signatures that verify', async () => {
    const withEs256 = accepted.filter(({ envelope }) => envelope.signatures.some(({ kid }) => !deterministic.has(kid)));
    expect(withEs256.length).toBeGreaterThan(0);
    for (const identified of withEs256) {
      const resigned = { ...identified, envelope: { ...identified.envelope, signatures: resign(identified.envelope) } };
      expect(resigned.envelope.signatures).not.toEqual(identified.envelope.signatures);
      const arrival = identified.envelope.contract.agreedAt;
      expect(await verifier.verify(resigned, arrival)).toMatchObject({ ok: true });
    }
  });

  it.each<[Side, Side]>([
    ['buyer', 'seller'],
    ['seller', 'buyer'],
  ])('does not let the %s’s signature stand for the %s’s', async (signer, claimed) => {
    const [identified] = accepted as [IdentifiedEnvelope];
    const { signatures } = identified.envelope;
    const { kid } = signatures.find(({ role }) => role === claimed)!;
    const contract: SettlementContract = identified.envelope.contract;
    const forged = { ...signContract(contract, signer, signingKeys.get(kid)!), role: claimed };
    const others = signatures.filter(({ role }) => role !== claimed);
    const decision = await verifier.verify(
      { ...identified, envelope: { contract, signatures: [...others, forged] } },
      contract.agreedAt,
    );
    expect(decision).toMatchObject({ ok: false, refusal: { where: '/signatures/1/signature' } });
  });
});
