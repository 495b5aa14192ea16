export { readPrivateKey } from './read-private-key.js';
export { sealEnvelope, signContract } from './sign-contract.js';
export type { SigningKey } from './suites/signature-suite.js';
export { loadTrustRegistry, TrustRegistryError } from './trust-registry/load-trust-registry.js';
export type { TrustedKey, TrustedParty, TrustRegistry } from './trust-registry/trust-registry.js';
export { registryOfEntries } from './trust-registry/registry-of-entries.js';
export { TrustedSignatureVerifier } from './trusted-signature-verifier.js';
