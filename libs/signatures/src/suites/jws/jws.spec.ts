import { buildContract, identifyContract } from '@v402/contract';
import { TerminalError } from '@v402/domain';
import { createHash, generateKeyPairSync, sign, type JsonWebKey } from 'node:crypto';
import type { SignableContract, SigningKey, VerificationKey } from '../signature-suite.js';
import { jwsSuite } from './jws.suite.js';

const contract = buildContract();
const signable: SignableContract = { contract, ...identifyContract(contract) };
const kid = 'did:web:buyer.example#ключ-🔑';

interface KeyPair {
  readonly alg: 'EdDSA' | 'ES256';
  readonly jwk: JsonWebKey;
  readonly signing: SigningKey;
  readonly verification: VerificationKey;
}

function codeThrownBy(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof TerminalError ? error.code : String(error);
  }
  return undefined;
}

function makeKeyPair(alg: 'EdDSA' | 'ES256'): KeyPair {
  const { privateKey, publicKey } =
    alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = privateKey.export({ format: 'jwk' });
  const signing = jwsSuite.readPrivateKey(JSON.stringify(jwk), kid);
  if (signing === undefined) throw new Error('The JWK is no key of this suite.');
  return {
    alg,
    jwk,
    signing,
    verification: jwsSuite.open({ kid, alg, publicKey: publicKey.export({ format: 'jwk' }) }),
  };
}

describe.each(['EdDSA', 'ES256'] as const)('jws with %s', (alg) => {
  const { jwk, signing, verification } = makeKeyPair(alg);
  const text = signing.sign(signable, 'buyer');
  const [header = '', , signature = ''] = text.split('.');

  it('writes the header of section 6, byte for byte', () => {
    expect(Buffer.from(header, 'base64url').toString('utf8')).toBe(
      `{"alg":"${alg}","b64":false,"crit":["b64"],"kid":"${kid}","role":"buyer","typ":"v402-settlement+jws"}`,
    );
  });

  it('takes its own signature, over this contract and in this role only', () => {
    const check = verification.read(text, 'buyer');
    const other = buildContract({ negotiationId: 'neg-2' });
    expect(check?.(signable)).toBe(true);
    expect(check?.({ contract: other, ...identifyContract(other) })).toBe(false);
    expect(verification.read(text, 'seller')).toBeUndefined();
  });

  it('refuses another key’s signature under the same kid', () => {
    const forged = makeKeyPair(alg).signing.sign(signable, 'buyer');
    expect(verification.read(forged, 'buyer')?.(signable)).toBe(false);
  });

  it.each([
    ['no signature', `${header}..`],
    ['no header', `..${signature}`],
    ['an attached payload', `${header}.e30.${signature}`],
    ['padding', `${text}==`],
    ['white space', `${text} `],
    ['63 bytes', `${header}..${Buffer.alloc(63, 1).toString('base64url')}`],
    ['65 bytes', `${header}..${Buffer.alloc(65, 1).toString('base64url')}`],
    ['a header with padding', `${header}=..${signature}`],
    ['the header’s members in another order', `${Buffer.from('{"b64":false}').toString('base64url')}..${signature}`],
  ])('calls malformed: %s', (_, malformed) => {
    expect(verification.read(malformed, 'buyer')).toBeUndefined();
  });

  it('calls 64 bytes of zero well formed and wrong', () => {
    const zeros = `${header}..${Buffer.alloc(64).toString('base64url')}`;
    expect(verification.read(zeros, 'buyer')?.(signable)).toBe(false);
  });

  it('signs under the JWK’s own kid unless another is given', () => {
    const withKid = JSON.stringify({ ...jwk, kid: 'own', use: 'sig' });
    expect(jwsSuite.readPrivateKey(withKid)?.kid).toBe('own');
    expect(jwsSuite.readPrivateKey(withKid, 'given')?.kid).toBe('given');
  });

  it.each<[string, (other: JsonWebKey) => unknown]>([
    ['no d', (own) => ({ ...own, d: undefined })],
    ['a short d', ({ d, ...rest }) => ({ ...rest, d: d?.slice(1) })],
    ['another key’s x', (other) => ({ ...other, x: makeKeyPair(alg).jwk.x })],
    ['another curve', (other) => ({ ...other, crv: 'P-384' })],
    ['another key type', (other) => ({ ...other, kty: 'RSA' })],
  ])('error: %s', (_, change) => {
    expect(codeThrownBy(() => jwsSuite.readPrivateKey(JSON.stringify(change(jwk)), kid))).toBe('private_key_invalid');
  });

  it('error: a key without a kid', () => {
    expect(codeThrownBy(() => jwsSuite.readPrivateKey(JSON.stringify(jwk)))).toBe('private_key_without_kid');
  });
});

describe('jws with ES256', () => {
  /** The order of P-256's group. */
  const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

  it('takes s and its negative alike: there is no low-s rule', () => {
    const { signing, verification } = makeKeyPair('ES256');
    const [header = '', , signature = ''] = signing.sign(signable, 'seller').split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const negative = (N - BigInt(`0x${bytes.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0');
    const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(negative, 'hex')]).toString('base64url');
    expect(verification.read(`${header}..${other}`, 'seller')?.(signable)).toBe(true);
  });

  it('signs the canonical bytes themselves, not their hash', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = jwsSuite.open({ kid, alg: 'ES256', publicKey: publicKey.export({ format: 'jwk' }) });
    const header = Buffer.from(
      JSON.stringify({ alg: 'ES256', b64: false, crit: ['b64'], kid, role: 'buyer', typ: 'v402-settlement+jws' }),
    ).toString('base64url');
    const signed = (payload: Uint8Array): boolean | undefined => {
      const input = Buffer.concat([Buffer.from(`${header}.`), payload]);
      const bytes = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return key.read(`${header}..${bytes.toString('base64url')}`, 'buyer')?.(signable);
    };
    expect(signed(signable.canonical)).toBe(true);
    expect(signed(createHash('sha256').update(signable.canonical).digest())).toBe(false);
  });
});
