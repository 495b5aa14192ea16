/** The order of P-256. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** ES256 has no low-s rule (RFC 7518): of a genuine signature (r, s), anybody can make (r, n − s), which holds as well. */
export function isGenuineVariant(jws: string, isGenuine: (text: string) => boolean): boolean {
  const twin = es256Twin(jws);
  return twin !== undefined && isGenuine(twin);
}

/** The other signature of the pair; `undefined` for a text that is no detached JWS. */
export function es256Twin(jws: string): string | undefined {
  const [header, , text = ''] = jws.split('.');
  const bytes = Buffer.from(text, 'base64url');
  if (header === undefined || bytes.length !== 64) return undefined;
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  if (s >= P256_ORDER) return undefined;
  const twin = (P256_ORDER - s).toString(16).padStart(64, '0');
  return `${header}..${Buffer.concat([bytes.subarray(0, 32), Buffer.from(twin, 'hex')]).toString('base64url')}`;
}
