import type { SignatureSuite } from '../signature-suite.js';
import { jwsMembers, openJwsKey } from './jws-key.js';
import { readJwsPrivateKey } from './sign.js';
import { JwsVerificationKey } from './verify.js';

/** A detached compact JWS over the canonical bytes of the contract, with Ed25519 or P-256. */
export const jwsSuite: SignatureSuite = {
  name: 'jws',
  uniqueMember: 'publicKey',
  members: jwsMembers,
  // Whether `kty` and `crv` fit `alg` is decided by the schema of `publicKey`, which depends on `alg`.
  misfits: () => [],
  open(entry) {
    const { kid, alg, publicKey } = openJwsKey(entry);
    return new JwsVerificationKey(kid, alg, publicKey);
  },
  readPrivateKey: readJwsPrivateKey,
};
