import { parseStrictJson } from '@v402/contract';
import type { Side } from '@v402/domain';
import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { privateKeyError } from '../private-key-error.js';
import type { SignableContract, SigningKey } from '../signature-suite.js';
import { decodeBase64Url } from './base64url.js';
import { detachedPrefix, protectedHeader, signingInput } from './detached-jws.js';
import { COORDINATE_BYTES, type JwsAlgorithm } from './jws-key.js';

const coordinate = z.string().refine((text) => decodeBase64Url(text, COORDINATE_BYTES) !== undefined);
const kid = z.string().min(1).exactOptional();

/** A private JWK (RFC 7517, RFC 8037). Members that say more about a key, such as `use`, are not looked at. */
const privateJwk = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, d: coordinate, kid }),
  z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate, d: coordinate, kid }),
]);
type PrivateJwk = z.infer<typeof privateJwk>;

const INVALID = 'The JWK is no private key of Ed25519 (OKP) or P-256 (EC), or its public part belongs to another key.';

/** A key pair as a JWK names it. The secret is a private field: neither a log nor `JSON.stringify` shows it. */
class JwsSigningKey implements SigningKey {
  readonly suite = 'jws';
  readonly #secret: KeyObject;

  constructor(
    readonly kid: string,
    private readonly alg: JwsAlgorithm,
    secret: KeyObject,
  ) {
    this.#secret = secret;
  }

  /** Deterministic with Ed25519, another text each time with P-256. */
  sign({ canonical }: SignableContract, role: Side): string {
    const header = protectedHeader(this.alg, this.kid, role);
    return `${detachedPrefix(header)}${Buffer.from(this.signBytes(signingInput(header, canonical))).toString('base64url')}`;
  }

  private signBytes(input: Uint8Array): Uint8Array {
    switch (this.alg) {
      case 'EdDSA':
        return sign(null, input, this.#secret);
      case 'ES256':
        return sign('sha256', input, { key: this.#secret, dsaEncoding: 'ieee-p1363' });
    }
  }
}

/** Reads a private JWK. The kid is the given one, else the JWK's own. */
export function readJwsPrivateKey(text: string, givenKid?: string): SigningKey | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  const parsed = parseStrictJson(Buffer.from(text, 'utf8'));
  const read = privateJwk.safeParse(parsed.ok ? parsed.value : undefined);
  if (!read.success) throw privateKeyError('private_key_invalid', INVALID);
  const secret = importSecret(read.data);
  const name = givenKid ?? read.data.kid;
  if (name === undefined) {
    throw privateKeyError(
      'private_key_without_kid',
      'The JWK has no `kid`: say the one that the registry knows it by.',
    );
  }
  return new JwsSigningKey(name, read.data.kty === 'OKP' ? 'EdDSA' : 'ES256', secret);
}

function importSecret(jwk: PrivateJwk): KeyObject {
  const secret = tryToImport(jwk);
  // OpenSSL may take a pair whose halves do not belong together: every signature by it would be refused.
  const derived = secret && createPublicKey(secret).export({ format: 'jwk' });
  if (secret === undefined || derived?.x !== jwk.x || derived.y !== ('y' in jwk ? jwk.y : undefined)) {
    throw privateKeyError('private_key_invalid', INVALID);
  }
  return secret;
}

function tryToImport(jwk: PrivateJwk): KeyObject | undefined {
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
