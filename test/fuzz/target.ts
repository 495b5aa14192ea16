import type { Chance } from './chance.js';

/** What became of an input. */
export interface Outcome {
  /** For counting: `accepted`, `refused schema_invalid`, … */
  readonly kind: string;
  /** All that was decided: running the same input again has to give the same. */
  readonly decided: unknown;
}

/** Something that must hold of every input did not. */
export class PropertyViolation extends Error {
  override readonly name = 'PropertyViolation';
}

export function mustHold(holds: boolean, property: string): asserts holds {
  if (!holds) throw new PropertyViolation(property);
}

/** One door of the system that untrusted bytes come through. */
export interface FuzzTarget {
  readonly name: string;
  /** Makes an input; decided by `chance` alone. Structured-cloneable, so that it can be saved. */
  generate(chance: Chance): unknown;
  /** @throws anything where the input got through what must hold */
  run(input: unknown): Outcome | Promise<Outcome>;
}

/** An input is only ever run by the target that made it. */
export function defineTarget<Input>(
  name: string,
  generate: (chance: Chance) => Input,
  run: (input: Input) => Outcome | Promise<Outcome>,
): FuzzTarget {
  return { name, generate, run: (input) => run(input as Input) };
}
