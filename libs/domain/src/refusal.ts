/**
 * The refusal codes of `v402-settlement/1`, section 7, in the order in which they are tried: the first that applies is
 * the answer. They are stable: producers build on them.
 */
export const REFUSAL_CODES = [
  'too_large',
  'malformed_json',
  'duplicate_key',
  'unsupported_spec',
  'schema_invalid',
  'same_party',
  'arithmetic_mismatch',
  'rounds_exceeded',
  'audience_mismatch',
  'agreed_in_future',
  'unknown_party',
  'signature_missing',
  'signature_duplicate_role',
  'unknown_key',
  'role_not_permitted',
  'key_not_valid',
  'key_revoked',
  'suite_unavailable',
  'signature_malformed',
  'signature_invalid',
  'transcript_mismatch',
  'superseded_unknown',
  'negotiation_conflict',
  'expired',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Why a contract was refused. */
export interface Refusal {
  readonly code: RefusalCode;
  /**
   * JSON Pointer (RFC 6901) of the first fault, where one place can be named. Safe to store and to show: never a value of
   * the document, and it ends before a member name that is not short plain ASCII.
   */
  readonly where?: string;
}
