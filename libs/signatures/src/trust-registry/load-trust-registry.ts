import { canonicalBytes, parseStrictJson, sha256Hex } from '@v402/contract';
import { printable, TerminalError } from '@v402/domain';
import { suites } from '../suites/suites.js';
import { findRegistryFaults } from './registry-faults.js';
import { registeredKeySchema, registrySchema } from './registry.schema.js';
import { TrustRegistry, type TrustedKey } from './trust-registry.js';

/** The registry cannot be used until an operator has corrected it. */
export class TrustRegistryError extends TerminalError {
  constructor(
    message: string,
    /** The JSON Pointer of every fault, sorted by code point. */
    readonly problems: readonly string[],
  ) {
    super('trust_registry_invalid', message, { problems: problems.length });
  }
}

/**
 * Loads a trust registry, `v402-trust-registry/1`, strictly: JSON as in a contract (up to 1,000,000 bytes, no member
 * twice), no unknown member, every key a usable point.
 *
 * @throws TrustRegistryError `trust_registry_invalid` with all faults at once
 */
export function loadTrustRegistry(bytes: Uint8Array): TrustRegistry {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) {
    const { code, where = '' } = parsed.refusal;
    throw new TrustRegistryError(`The trust registry is no strict JSON: ${code} at "${where}".`, [where]);
  }
  const problems = findRegistryFaults(parsed.value);
  if (problems.length > 0) {
    throw new TrustRegistryError(`The trust registry is at fault at ${listed(problems)}.`, problems);
  }
  const { parties } = registrySchema.parse(parsed.value);
  return new TrustRegistry(
    parties.map(({ id, name, keys }) => ({ id, name, keys: keys.map(openKey) })),
    sha256Hex(canonicalBytes(parsed.value)),
  );
}

/** How much of the faults a message tells: a file can have as many as it has members, and their names be of any length. */
const LISTED_FAULTS = 50;
const LISTED_LENGTH = 120;

function listed(problems: readonly string[]): string {
  const shown = problems.slice(0, LISTED_FAULTS).map((pointer) => printable(pointer, LISTED_LENGTH));
  const hidden = problems.length - shown.length;
  return shown.join(', ') + (hidden === 0 ? '' : ` and ${hidden} more places`);
}

function openKey(entry: unknown): TrustedKey {
  const registered = registeredKeySchema.parse(entry);
  return {
    registered,
    verification: suites[registered.suite].open(entry),
    entry: Buffer.from(canonicalBytes(entry)).toString('utf8'),
  };
}
