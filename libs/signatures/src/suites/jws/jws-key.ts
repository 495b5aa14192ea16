import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject } from '../signature-suite.js';
import { decodeBase64Url } from './base64url.js';
import { isUsableEd25519Point } from './ed25519-point.js';

export const COORDINATE_BYTES = 32;
const isCoordinate = (text: string): boolean => decodeBase64Url(text, COORDINATE_BYTES) !== undefined;
/** Aborts: whether a point is usable is only asked of coordinates that have their form. */
const coordinate = z.string().refine(isCoordinate, { abort: true });

const ed25519Jwk = z
  .strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate })
  .refine(({ x }) => isUsableEd25519Point(Buffer.from(x, 'base64url')));

const p256Jwk = z
  .strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate })
  .refine((jwk) => isPointOfP256(jwk));

type P256Jwk = { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };

/** OpenSSL refuses a point that is not on the curve, and coordinates beyond the field. */
function isPointOfP256(jwk: P256Jwk): boolean {
  try {
    createPublicKey({ key: jwk, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

/** What a registered key has in the suite `jws` alone, by its algorithm (RFC 7518, RFC 8037). */
const membersByAlgorithm = {
  EdDSA: { alg: z.literal('EdDSA'), publicKey: ed25519Jwk },
  ES256: { alg: z.literal('ES256'), publicKey: p256Jwk },
};

export type JwsAlgorithm = keyof typeof membersByAlgorithm;

const unknownAlgorithm = { alg: z.never(), publicKey: z.unknown() };

/** Under an algorithm that is none, the form of the public key cannot be told. */
export function jwsMembers({ alg }: JsonObject): z.ZodRawShape {
  return alg === 'EdDSA' || alg === 'ES256' ? membersByAlgorithm[alg] : unknownAlgorithm;
}

const entrySchema = z.discriminatedUnion('alg', [
  z.object({ kid: z.string(), ...membersByAlgorithm.EdDSA }),
  z.object({ kid: z.string(), ...membersByAlgorithm.ES256 }),
]);

/** A registered key with its OpenSSL form, made once: importing a key costs as much as checking a signature. */
export function openJwsKey(entry: unknown): { kid: string; alg: JwsAlgorithm; publicKey: KeyObject } {
  const { kid, alg, publicKey } = entrySchema.parse(entry);
  return { kid, alg, publicKey: createPublicKey({ key: publicKey, format: 'jwk' }) };
}
