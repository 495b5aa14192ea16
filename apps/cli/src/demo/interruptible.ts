/** Exit status of a program that Ctrl-C ended, by the shells' custom. */
const EXIT_INTERRUPTED = 130;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Ctrl-C may arrive twice: from the terminal, and from a program such as npm that passes it on. */
const SAME_WITHIN_MS = 1_000;

/**
 * Runs work that Ctrl-C or SIGTERM asks to end early and in good order; a second one ends the program at once.
 * @returns undefined when it was interrupted
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const interruption = new AbortController();
  let interruptedAt = -Infinity;
  const interrupt = (): void => {
    if (performance.now() - interruptedAt < SAME_WITHIN_MS) return;
    if (interruption.signal.aborted) process.exit(EXIT_INTERRUPTED);
    interruptedAt = performance.now();
    process.exitCode = EXIT_INTERRUPTED;
    process.stderr.write('\nStopping. Once more ends it at once.\n');
    interruption.abort();
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    return await work(interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    return undefined;
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}
