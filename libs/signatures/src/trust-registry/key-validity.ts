import { compareInstants, type Instant } from '@v402/domain';
import type { RegisteredKey } from './registry.schema.js';

/** When a contract was agreed and when it arrived: what a key's times are held against (section 5). */
export interface ContractTimes {
  readonly agreedAt: Instant;
  readonly arrival: Instant;
  /** For how long after a key's end a contract agreed before it may still arrive; the last moment is included. */
  readonly graceSeconds: number;
}

/** `key_not_valid`: agreed outside `validFrom` ≤ agreedAt < `validUntil`, or arrived after the grace of an ended key. */
export function isNotValid({ validFrom, validUntil }: RegisteredKey, times: ContractTimes): boolean {
  return compareInstants(times.agreedAt, validFrom) < 0 || (validUntil !== undefined && hasEnded(validUntil, times));
}

/** `key_revoked`: agreed at or after `revokedAt`, or arrived after the grace; a compromised key is revoked for all times. */
export function isRevoked({ revokedAt, revocationReason }: RegisteredKey, times: ContractTimes): boolean {
  if (revokedAt === undefined) return false;
  return revocationReason === 'compromised' || hasEnded(revokedAt, times);
}

function hasEnded(end: Instant, { agreedAt, arrival, graceSeconds }: ContractTimes): boolean {
  return compareInstants(agreedAt, end) >= 0 || compareInstants(arrival, end, graceSeconds) > 0;
}
