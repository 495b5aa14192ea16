import { codeOf } from '@v402/domain';

/** Does something and says what came of it and how long it took. What it throws is thrown on. */
export async function timed<T>(
  work: () => Promise<T>,
  outcomeOf: (result: T) => string,
  say: (outcome: string, seconds: number) => void,
  failureOf: (error: unknown) => string = codeOf,
): Promise<T> {
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1_000;
  try {
    const result = await work();
    say(outcomeOf(result), seconds());
    return result;
  } catch (error) {
    say(failureOf(error), seconds());
    throw error;
  }
}
