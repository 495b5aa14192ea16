import type { Side } from '@v402/domain';
import { verify, type KeyObject } from 'node:crypto';
import type { SignatureCheck, VerificationKey } from '../signature-suite.js';
import { decodeBase64Url } from './base64url.js';
import { detachedPrefix, protectedHeader, signingInput } from './detached-jws.js';
import type { JwsAlgorithm } from './jws-key.js';

const SIGNATURE_BYTES = 64;

/**
 * Ed25519 as in RFC 8032 without cofactor: OpenSSL refuses S beyond the group's order and compares R's bytes.
 * ES256 as in RFC 7518: r and s of 32 bytes each; there is no low-s rule.
 */
function isValid(alg: JwsAlgorithm, publicKey: KeyObject, input: Uint8Array, signature: Uint8Array): boolean {
  switch (alg) {
    case 'EdDSA':
      return verify(null, input, publicKey, signature);
    case 'ES256':
      return verify('sha256', input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  }
}

/** A registered key of the suite `jws`, with the one header that its signatures may have in either role. */
export class JwsVerificationKey implements VerificationKey {
  readonly available = true;
  private readonly headers: Readonly<Record<Side, string>>;

  constructor(
    kid: string,
    private readonly alg: JwsAlgorithm,
    private readonly publicKey: KeyObject,
  ) {
    this.headers = { buyer: protectedHeader(alg, kid, 'buyer'), seller: protectedHeader(alg, kid, 'seller') };
  }

  read(text: string, role: Side): SignatureCheck | undefined {
    const header = this.headers[role];
    const prefix = detachedPrefix(header);
    if (!text.startsWith(prefix)) return undefined;
    const signature = decodeBase64Url(text.slice(prefix.length), SIGNATURE_BYTES);
    if (signature === undefined) return undefined;
    return ({ canonical }) => isValid(this.alg, this.publicKey, signingInput(header, canonical), signature);
  }
}
