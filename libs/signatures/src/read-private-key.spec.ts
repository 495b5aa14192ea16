import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { readPrivateKey } from './read-private-key.js';

const hex = 'c0ffee'.repeat(10) + 'c0de';
const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
const { d: secret = '' } = jwk;

function errorOf(text: string, kid?: string): Error {
  try {
    readPrivateKey(text, kid);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('The key was read.');
}

describe('reading a private key', () => {
  it('tells the forms apart', () => {
    expect(readPrivateKey(hex).suite).toBe('eip712');
    expect(readPrivateKey(`\n${JSON.stringify(jwk, null, 2)}\n`, 'did:web:buyer.example#1').suite).toBe('jws');
  });

  it.each([
    ['text that is neither', `-----BEGIN ${secret}-----`, undefined, 'private_key_invalid'],
    ['nothing', '', undefined, 'private_key_invalid'],
    ['hex of another length', hex.slice(2), undefined, 'private_key_invalid'],
    ['JSON that breaks off', JSON.stringify(jwk).slice(0, -1), 'k', 'private_key_invalid'],
    ['a JWK whose d is too short', JSON.stringify({ ...jwk, d: secret.slice(1) }), 'k', 'private_key_invalid'],
    ['a JWK whose halves do not fit', JSON.stringify({ ...jwk, x: secret }), 'k', 'private_key_invalid'],
    ['a JWK without a kid', JSON.stringify(jwk), undefined, 'private_key_without_kid'],
    ['hex with another account’s kid', hex, `did:pkh:eip155:1:0x${'00'.repeat(20)}`, 'private_key_kid_mismatch'],
  ])('error: %s, and nothing of the key is in it', (_, text, kid, code) => {
    const error = errorOf(text, kid);
    expect(error).toMatchObject({ code, kind: 'terminal' });
    expect(error.cause).toBeUndefined();
    const shown = inspect(error, { depth: null, showHidden: true });
    for (const part of [secret.slice(4, 12), hex.slice(4, 16)]) expect(shown).not.toContain(part);
  });

  it('shows no secret where a key is logged', () => {
    for (const key of [readPrivateKey(hex), readPrivateKey(JSON.stringify(jwk), 'k')]) {
      const shown = inspect(key, { depth: null, showHidden: true }) + JSON.stringify(key);
      for (const part of [secret, hex, Buffer.from(hex, 'hex').toString('base64')]) expect(shown).not.toContain(part);
    }
  });
});
