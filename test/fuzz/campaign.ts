import { isDeepStrictEqual } from 'node:util';
import { Chance } from './chance.js';
import { PropertyViolation, type FuzzTarget, type Outcome } from './target.js';

/** A stretch of the inputs of one target. */
export interface Stretch {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

/** What went wrong with one input. */
export interface Failure {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly reason: string;
  readonly input: unknown;
}

export type Kinds = Readonly<Record<string, number>>;

export type CampaignResult = { readonly kinds: Kinds } | { readonly failure: Failure };

/**
 * Runs inputs one after the other, each twice, up to the first that fails.
 * @param onInput told before each input, for whoever watches that it ends
 */
export async function runStretch(
  target: FuzzTarget,
  { seed, first, count }: Stretch,
  onInput: (index: number) => void = () => undefined,
): Promise<CampaignResult> {
  const kinds: Record<string, number> = {};
  for (let index = first; index < first + count; index += 1) {
    onInput(index);
    const input = target.generate(new Chance(seed, index));
    const outcome = await outcomeOf(target, input);
    if (outcome instanceof Error) {
      return { failure: { target: target.name, seed, index, reason: reasonOf(outcome), input } };
    }
    kinds[outcome.kind] = (kinds[outcome.kind] ?? 0) + 1;
  }
  return { kinds };
}

/** Runs one input twice: what is decided must not depend on what was decided before. */
export async function outcomeOf(target: FuzzTarget, input: unknown): Promise<Outcome | Error> {
  try {
    const once = await target.run(input);
    const twice = await target.run(input);
    return isDeepStrictEqual(once, twice) ? once : new PropertyViolation('the same input is decided alike');
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function reasonOf(error: Error): string {
  return error instanceof PropertyViolation ? `this does not hold: ${error.message}` : (error.stack ?? error.message);
}
