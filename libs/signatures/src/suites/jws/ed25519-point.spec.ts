import { generateKeyPairSync } from 'node:crypto';
import { isUsableEd25519Point } from './ed25519-point.js';

const P = 2n ** 255n - 19n;

/** The encoding of RFC 8032: y in little-endian order, and the sign of x in the last bit. */
function encode(y: bigint, sign = 0n): Uint8Array {
  return Buffer.from((y + sign * 2n ** 255n).toString(16).padStart(64, '0'), 'hex').reverse();
}

describe('public keys of Ed25519', () => {
  it.each([
    ['the first test of RFC 8032', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'],
    ['the base point', '5866666666666666666666666666666666666666666666666666666666666666'],
  ])('takes %s', (_, hex) => {
    expect(isUsableEd25519Point(Buffer.from(hex, 'hex'))).toBe(true);
  });

  it('takes every key that OpenSSL makes', () => {
    for (let i = 0; i < 50; i += 1) {
      const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
      expect([x, isUsableEd25519Point(Buffer.from(x, 'base64url'))]).toEqual([x, true]);
    }
  });

  it.each<[string, bigint, bigint]>([
    ['the neutral element', 1n, 0n],
    ['the neutral element with a sign', 1n, 1n],
    ['the point of order 2', P - 1n, 0n],
    ['the point of order 2 with a sign', P - 1n, 1n],
    ['a point of order 4', 0n, 0n],
    ['the other point of order 4', 0n, 1n],
  ])('refuses %s', (_, y, sign) => {
    expect(isUsableEd25519Point(encode(y, sign))).toBe(false);
  });

  it.each([0, 31, 33])('refuses %d bytes', (length) => {
    expect(isUsableEd25519Point(Buffer.alloc(length, 3))).toBe(false);
  });

  it('refuses y that has no x', () => {
    expect(isUsableEd25519Point(encode(2n))).toBe(false);
  });

  it('takes a y of a point once: not as y + p', () => {
    // 3 and 4 are the y of points, and small enough for y + p to fit in 255 bits.
    expect([3n, 4n].map((y) => isUsableEd25519Point(encode(y)))).toEqual([true, true]);
    expect([3n, 4n].map((y) => isUsableEd25519Point(encode(y + P)))).toEqual([false, false]);
  });
});
