import type { KeptRegistry, VerifyTools } from '@v402/application';
import { registryOfEntries, TrustedSignatureVerifier, type TrustRegistry } from '@v402/signatures';

/**
 * What an evidence file is verified with.
 * @param graceSeconds how long after a key's end the handler honoured it; a day unless told
 */
export function evidenceTools(registry: TrustRegistry | undefined, graceSeconds: number | undefined): VerifyTools {
  return {
    withKeys: (parties) => new TrustedSignatureVerifier(registryOfEntries(parties), graceSeconds),
    registry: registry && kept(registry, graceSeconds),
  };
}

function kept(registry: TrustRegistry, graceSeconds: number | undefined): KeptRegistry {
  return {
    verifier: new TrustedSignatureVerifier(registry, graceSeconds),
    entryOf: (party, suite, kid) => registry.findKey(party, suite, kid)?.entry,
  };
}
