import {
  SignatureVerifier,
  type ContractSignature,
  type IdentifiedEnvelope,
  type KeyEvidence,
  type SignatureDecision,
} from '@v402/contract';
import { SIDES, type Instant, type Refusal, type RefusalCode, type SettlementContract } from '@v402/domain';
import type { SignatureCheck } from './suites/signature-suite.js';
import { isNotValid, isRevoked, type ContractTimes } from './trust-registry/key-validity.js';
import type { TrustRegistry, TrustedKey } from './trust-registry/trust-registry.js';

/** Section 5: a day. */
const DEFAULT_GRACE_SECONDS = 86_400;

/** A signature with the key that it names. */
interface KeyedSignature {
  readonly signature: ContractSignature;
  readonly key: TrustedKey;
  /** JSON Pointer of the signature in its envelope. */
  readonly where: string;
}

/** A reason not to honour a key. */
interface KeyFault {
  readonly code: RefusalCode;
  readonly applies: (signed: KeyedSignature, times: ContractTimes) => boolean;
}

/** What the registry says of the keys, in the order of section 7. */
const KEY_FAULTS: readonly KeyFault[] = [
  {
    code: 'role_not_permitted',
    applies: ({ signature, key }) => !key.registered.roles.includes(signature.role),
  },
  { code: 'key_not_valid', applies: ({ key }, times) => isNotValid(key.registered, times) },
  { code: 'key_revoked', applies: ({ key }, times) => isRevoked(key.registered, times) },
  { code: 'suite_unavailable', applies: ({ key }) => !key.verification.available },
];

/** Decides `unknown_party` to `signature_invalid` with a trust registry: each code on both signatures before the next. */
export class TrustedSignatureVerifier extends SignatureVerifier {
  readonly registryDigest: string;

  /** @param graceSeconds how long after a key's end a contract agreed before it may still arrive (section 5, Grace) */
  constructor(
    private readonly registry: TrustRegistry,
    private readonly graceSeconds: number = DEFAULT_GRACE_SECONDS,
  ) {
    super();
    this.registryDigest = registry.digest;
  }

  /** Everything is at hand, so the answer is there at once; nothing is retried. */
  verify(identified: IdentifiedEnvelope, arrival: Instant): Promise<SignatureDecision> {
    return Promise.resolve(this.decide(identified, arrival));
  }

  private decide(identified: IdentifiedEnvelope, arrival: Instant): SignatureDecision {
    const { contract, signatures } = identified.envelope;
    const fault = this.partyFault(contract) ?? roleFault(signatures);
    if (fault !== undefined) return { ok: false, refusal: fault };
    const signed = this.findKeys(contract, signatures);
    if (!Array.isArray(signed)) return { ok: false, refusal: signed };
    const times = { agreedAt: contract.agreedAt, arrival, graceSeconds: this.graceSeconds };
    const refusal = keyFault(signed, times) ?? signatureFault(signed, identified);
    return refusal === undefined ? { ok: true, keys: signed.map(evidenceOf) } : { ok: false, refusal };
  }

  private partyFault({ parties }: SettlementContract): Refusal | undefined {
    const unknown = SIDES.find((side) => !this.registry.hasParty(parties[side].id));
    return unknown && { code: 'unknown_party', where: `/contract/parties/${unknown}/id` };
  }

  /** The keys of all signatures, or the first that the party does not have. */
  private findKeys(
    { parties }: SettlementContract,
    signatures: readonly ContractSignature[],
  ): KeyedSignature[] | Refusal {
    const signed: KeyedSignature[] = [];
    for (const [index, signature] of signatures.entries()) {
      const where = `/signatures/${index}`;
      const key = this.registry.findKey(parties[signature.role].id, signature.suite, signature.kid);
      if (key === undefined) return { code: 'unknown_key', where: `${where}/kid` };
      signed.push({ signature, key, where });
    }
    return signed;
  }
}

/** Exactly one signature per role. */
function roleFault(signatures: readonly ContractSignature[]): Refusal | undefined {
  const roles = signatures.map(({ role }) => role);
  if (SIDES.some((side) => !roles.includes(side))) return { code: 'signature_missing', where: '/signatures' };
  const repeated = roles.findIndex((role, index) => roles.indexOf(role) < index);
  return repeated === -1 ? undefined : { code: 'signature_duplicate_role', where: `/signatures/${repeated}/role` };
}

function keyFault(signed: readonly KeyedSignature[], times: ContractTimes): Refusal | undefined {
  for (const { code, applies } of KEY_FAULTS) {
    const faulty = signed.find((one) => applies(one, times));
    if (faulty !== undefined) return { code, where: `${faulty.where}/kid` };
  }
  return undefined;
}

/** The costly part comes last: both texts are read before either signature is computed. */
function signatureFault(signed: readonly KeyedSignature[], identified: IdentifiedEnvelope): Refusal | undefined {
  const checks: { readonly isGenuine: SignatureCheck; readonly where: string }[] = [];
  for (const { signature, key, where } of signed) {
    const isGenuine = key.verification.read(signature.signature, signature.role);
    if (isGenuine === undefined) return { code: 'signature_malformed', where: `${where}/signature` };
    checks.push({ isGenuine, where });
  }
  const signable = { ...identified, contract: identified.envelope.contract };
  const forged = checks.find(({ isGenuine }) => !isGenuine(signable));
  return forged && { code: 'signature_invalid', where: `${forged.where}/signature` };
}

function evidenceOf({ signature, key }: KeyedSignature): KeyEvidence {
  return { role: signature.role, suite: signature.suite, kid: signature.kid, entry: key.entry };
}
