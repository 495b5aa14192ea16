import fc from 'fast-check';
import { BitSet } from './bit-set.js';

test('property: holds what was added and nothing else, far apart as well as close together', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (added, asked) => {
      const bits = new BitSet();
      const known = new Set<number>();
      for (const each of added) {
        expect(bits.add(each)).toBe(!known.has(each));
        known.add(each);
      }
      for (const each of [...added, ...asked]) expect(bits.has(each)).toBe(known.has(each));
    }),
  );
});
