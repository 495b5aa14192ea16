import { loadTrustRegistry } from './load-trust-registry.js';
import { REGISTRY_FORMAT } from './registry.schema.js';
import type { TrustRegistry } from './trust-registry.js';

/**
 * A registry of nothing but the given entries, as decisions keep them: for checking a signature years later with the keys
 * of its time. Its digest says nothing.
 * @param parties each with its entries as JSON text
 * @throws TrustRegistryError for entries that no registry may hold
 */
export function registryOfEntries(
  parties: readonly { readonly id: string; readonly entries: readonly string[] }[],
): TrustRegistry {
  const parts = parties.map(
    ({ id, entries }) => `{"id":${JSON.stringify(id)},"name":${JSON.stringify(id)},"keys":[${entries.join()}]}`,
  );
  return loadTrustRegistry(Buffer.from(`{"format":"${REGISTRY_FORMAT}","parties":[${parts.join()}]}`, 'utf8'));
}
