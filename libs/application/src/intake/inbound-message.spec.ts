import { createHash } from 'node:crypto';
import { buildContract } from '@v402/contract';
import { dealOf, rawMessageOf } from './inbound-message.js';

const sha256 = (value: string | Uint8Array): string => createHash('sha256').update(value).digest('hex');

describe('what is kept of a message', () => {
  test('all of it, up to 1,000,000 bytes', () => {
    const value = Buffer.alloc(1_000_000, 7);
    expect(rawMessageOf(value)).toEqual({ digest: sha256(value), size: 1_000_000, bytes: value, truncated: false });
  });

  test('of a longer one the first 4 KiB, and the digest of all', () => {
    const value = Buffer.concat([Buffer.alloc(1_000_000, 7), Buffer.from([8])]);
    expect(rawMessageOf(value)).toEqual({
      digest: sha256(value),
      size: 1_000_001,
      bytes: value.subarray(0, 4_096),
      truncated: true,
    });
  });

  test('of a tombstone the same as of an empty value: nothing', () => {
    expect(rawMessageOf(null)).toEqual({ digest: sha256(''), size: 0, bytes: new Uint8Array(), truncated: false });
    expect(rawMessageOf(null)).toEqual(rawMessageOf(new Uint8Array()));
  });
});

describe('the deal of a contract', () => {
  const parties = (buyer: string, seller: string): { buyer: { id: string }; seller: { id: string } } => ({
    buyer: { id: buyer },
    seller: { id: seller },
  });
  const keyOf = (negotiationId: string, buyer: string, seller: string): string =>
    dealOf(buildContract({ negotiationId, parties: parties(buyer, seller) })).key;

  test('is keyed by the SHA-256 of the canonical form of its negotiation and parties', () => {
    const canonical = '["neg:1","did:web:käufer \\"A\\"","did:web:seller\\\\🔑"]';
    expect(
      dealOf(buildContract({ negotiationId: 'neg:1', parties: parties('did:web:käufer "A"', 'did:web:seller\\🔑') })),
    ).toEqual({
      key: sha256(canonical),
      negotiationId: 'neg:1',
      buyer: 'did:web:käufer "A"',
      seller: 'did:web:seller\\🔑',
    });
  });

  test('has another key with another negotiation, buyer or seller, or the parties swapped', () => {
    const keys = [
      keyOf('neg-1', 'a', 'b'),
      keyOf('neg-2', 'a', 'b'),
      keyOf('neg-1', 'c', 'b'),
      keyOf('neg-1', 'a', 'c'),
      keyOf('neg-1', 'b', 'a'),
      keyOf('neg-1', 'a","b', 'c'),
      keyOf('neg-1', 'a', 'b","c'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('does not depend on the names of the parties, nor on the terms', () => {
    const named = { buyer: { id: 'a', name: 'One GmbH' }, seller: { id: 'b', name: 'Two SA' } };
    const contract = buildContract({ negotiationId: 'neg-1', parties: named, currency: 'JPY' });
    expect(dealOf(contract).key).toBe(keyOf('neg-1', 'a', 'b'));
  });
});
