import {
  parseStrictJson,
  readEnvelope,
  SignatureVerifier,
  verifyContract,
  type ReadResult,
  type SettlementEnvelope,
  type SignatureDecision,
} from '@v402/contract';
import type { Side } from '@v402/domain';
import { signContract, type SigningKey } from '@v402/signatures';

/** Signatures are what is being made: those that are there already are kept and not judged. */
class NoSignatureCheck extends SignatureVerifier {
  override readonly registryDigest = '';

  override verify(): Promise<SignatureDecision> {
    return Promise.resolve({ ok: true, keys: [] });
  }
}

/**
 * Reads a contract, or an envelope with or without signatures, for signing.
 *
 * @returns the refusal of one that every handler would refuse, whoever signs it: by its shape, its amounts, its parties,
 *   its rounds or its transcript
 */
export async function readForSigning(bytes: Uint8Array): Promise<ReadResult> {
  const read = readContractOrEnvelope(bytes);
  if (!read.ok) return read;
  const { contract } = read.identified.envelope;
  // Judged where and when nothing but the contract itself can be at fault.
  const context = {
    arrival: contract.agreedAt,
    handlerId: contract.audience ?? null,
    servedParties: null,
    requireTranscript: false,
  };
  const decision = await verifyContract(read.identified, context, new NoSignatureCheck());
  return decision.ok ? read : decision;
}

function readContractOrEnvelope(bytes: Uint8Array): ReadResult {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  const isContract = typeof value === 'object' && value !== null && 'spec' in value && !('contract' in value);
  return readEnvelope(isContract ? Buffer.from(JSON.stringify({ contract: value, signatures: [] }), 'utf8') : bytes);
}

/** The envelope with this party's signature, in the place of one that it had. */
export function addSignature(envelope: SettlementEnvelope, role: Side, key: SigningKey): SettlementEnvelope {
  const signature = signContract(envelope.contract, role, key);
  const others = envelope.signatures.filter((other) => other.role !== role);
  const signatures = role === 'buyer' ? [signature, ...others] : [...others, signature];
  return { ...envelope, signatures };
}
