import type { Refusal } from '@v402/domain';
import { identifyContract } from './canonical.js';
import type { IdentifiedEnvelope } from './envelope.js';
import { checkRules, type RuleContext } from './rules.js';
import { checkSchema } from './schema/envelope.schema.js';
import type { SignatureDecision, SignatureVerifier } from './signature-verifier.js';
import { parseStrictJson } from './strict-json.js';
import { checkTranscript } from './transcript.js';

export type ReadResult =
  { readonly ok: true; readonly identified: IdentifiedEnvelope } | { readonly ok: false; readonly refusal: Refusal };

/**
 * The first half of section 7: from the bytes of a message to an identified envelope, or the first refusal from
 * `too_large` to `schema_invalid`. Between the two halves the caller looks the contractId up: a duplicate, or a contract
 * in quarantine, is decided there and needs no further check.
 */
export function readEnvelope(bytes: Uint8Array): ReadResult {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return parsed;
  const checked = checkSchema(parsed.value);
  if (!checked.ok) return checked;
  return { ok: true, identified: { envelope: checked.envelope, ...identifyContract(checked.envelope.contract) } };
}

export interface VerificationContext extends RuleContext {
  /** Whether an envelope without a transcript is refused (section 8). */
  readonly requireTranscript: boolean;
}

/**
 * The second half of section 7 that needs no state: `same_party` to `transcript_mismatch`. `superseded_unknown`,
 * `negotiation_conflict` and `expired` depend on what was accepted before and are the caller's to decide.
 *
 * @returns the keys that the signatures were checked with, or the first refusal
 * @throws RetryableError when the verifier needs something that is away
 */
export async function verifyContract(
  identified: IdentifiedEnvelope,
  context: VerificationContext,
  verifier: SignatureVerifier,
): Promise<SignatureDecision> {
  const { contract, transcript } = identified.envelope;
  const broken = checkRules(contract, context);
  if (broken !== undefined) return { ok: false, refusal: broken };
  const decision = await verifier.verify(identified, context.arrival);
  if (!decision.ok) return decision;
  const mismatch = checkTranscript(contract, transcript, { required: context.requireTranscript });
  return mismatch === undefined ? decision : { ok: false, refusal: mismatch };
}
