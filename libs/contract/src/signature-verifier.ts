import type { Instant, Refusal, Side } from '@v402/domain';
import type { IdentifiedEnvelope, SuiteName } from './envelope.js';

/** What a signature was checked with: kept with the decision, so that it can be checked again years later. */
export interface KeyEvidence {
  readonly role: Side;
  readonly suite: SuiteName;
  readonly kid: string;
  /** The registry's entry as it was, as JSON text in canonical form. */
  readonly entry: string;
}

export type SignatureDecision =
  { readonly ok: true; readonly keys: readonly KeyEvidence[] } | { readonly ok: false; readonly refusal: Refusal };

/**
 * Decides the signature codes of section 7, `unknown_party` to `signature_invalid`, in their order.
 * Implemented over a trust registry and the suites.
 */
export abstract class SignatureVerifier {
  /** Hex SHA-256 of the canonical form of the registry in use. */
  abstract readonly registryDigest: string;
  /**
   * @param arrival when the message reached the handler: grace is counted from it
   * @throws RetryableError when a suite needs something that is away (an endpoint that is configured but down)
   */
  abstract verify(contract: IdentifiedEnvelope, arrival: Instant): Promise<SignatureDecision>;
}
