import fc from 'fast-check';
import { canonicalBytes, identifyContract, sha256Hex, shortRefOf } from './canonical.js';
import { buildContract } from './builder/contract.builder.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

function textOf(value: unknown): string {
  return Buffer.from(canonicalBytes(value)).toString('utf8');
}

/** The same value with the members of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const members: [string, unknown][] = Object.entries(value);
  return Object.fromEntries(members.reverse().map(([name, member]) => [name, reversed(member)]));
}

describe('canonical form', () => {
  it('sorts names by UTF-16 code unit and escapes as RFC 8785 says', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '😀': 5, '\u0080': 6, '\u00f6': '\u000f\n"\\/<' };
    expect(textOf(value)).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":"\\u000f\\n\\"\\\\/<","\u20ac":1,"😀":5,"\ufb33":3}',
    );
  });

  it('keeps a member named `__proto__`', () => {
    expect(textOf(JSON.parse('{"b":1,"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1},"b":1}');
  });

  it('does not normalize: NFC and NFD are different contracts', () => {
    const nfc = buildContract({ negotiationId: 'n', parties: { buyer: { id: 'b', name: 'Stück'.normalize('NFC') } } });
    const nfd = buildContract({ negotiationId: 'n', parties: { buyer: { id: 'b', name: 'Stück'.normalize('NFD') } } });
    expect(identifyContract(nfc).contractId).not.toBe(identifyContract(nfd).contractId);
  });

  it('error: what is no JSON has none', () => {
    expect(() => canonicalBytes(undefined)).toThrow('Only a JSON value has a canonical form.');
  });

  it('labels a contract with the first 26 characters of its id in Crockford base32', () => {
    // All bits of the first five bytes, in groups of five, spell the whole alphabet.
    expect(shortRefOf(`00443214c74254b635cf84653a56d7c675be77df${'0'.repeat(24)}`)).toBe('0123456789ABCDEFGHJKMNPQRS');
    expect(shortRefOf('f'.repeat(64))).toBe('Z'.repeat(26));
    expect(sha256Hex(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe(`canonical form, any value (PROPERTY_SEED=${seed})`, () => {
  const values = fc.jsonValue({ stringUnit: 'binary', depthSize: 'medium' });

  it('is idempotent, does not depend on the order of members, and keeps the value', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = textOf(value);
        const read = JSON.parse(text) as unknown;
        expect(textOf(read)).toBe(text);
        expect(textOf(reversed(value))).toBe(text);
        // JSON has one zero: the canonical form of -0 is 0.
        expect(read).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed, numRuns: 200 },
    );
  });
});
