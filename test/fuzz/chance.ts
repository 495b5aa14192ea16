import fc from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A third of what fast-check makes are its edge cases. */
const BIAS = 3;

/** The random choices of one input: the same seed and index choose the same, on every machine. */
export class Chance {
  readonly #random: fc.Random;

  constructor(seed: number, index: number) {
    // Odd multipliers keep neighbouring inputs and neighbouring seeds apart.
    this.#random = new fc.Random(
      xoroshiro128plus((Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0),
    );
  }

  /** A whole number, both ends included. */
  int(min: number, max: number): number {
    return this.#random.nextInt(min, max);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.int(1, times) === 1;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('There is nothing to pick from.');
    return items[this.int(0, items.length - 1)] as T;
  }

  /** A value that fast-check makes. */
  of<T>(arbitrary: fc.Arbitrary<T>): T {
    return arbitrary.generate(this.#random, BIAS).value;
  }

  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.flatMap(() => left.splice(this.int(0, left.length - 1), 1));
  }
}
