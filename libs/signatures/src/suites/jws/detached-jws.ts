import type { Side } from '@v402/domain';
import type { JwsAlgorithm } from './jws-key.js';

/**
 * The protected header, base64url: byte for byte the JCS form of section 6, so that one text is right and every other is
 * `signature_malformed`. The members stand in the order of their names, and JSON.stringify writes strings as JCS does.
 */
export function protectedHeader(alg: JwsAlgorithm, kid: string, role: Side): string {
  const header = JSON.stringify({ alg, b64: false, crit: ['b64'], kid, role, typ: 'v402-settlement+jws' });
  return Buffer.from(header, 'utf8').toString('base64url');
}

/** What is signed: the header, a point, and the payload as it is, not in base64url (RFC 7797). */
export function signingInput(header: string, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${header}.`, 'ascii'), payload]);
}

/** What goes before the signature in a compact JWS whose payload is detached (RFC 7515, appendix F). */
export function detachedPrefix(header: string): string {
  return `${header}..`;
}
