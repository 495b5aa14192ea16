import { TerminalError } from '@v402/domain';
import { checksOf, shortfallsOf } from './checks.js';
import type { IntakeUnderTest } from './intake-under-test.js';
import type { Vectors } from './vectors.js';

interface CheckCounts {
  readonly passed: number;
  /** A shortfall against the manifest counts as one. */
  readonly failed: number;
}

/**
 * Runs all checks, one after the other, and says each on a line of its own: `ok NAME`, or
 * `FAILED NAME: expected … got …`; at the end `N passed, N failed`. SIGINT and SIGTERM end it after the check under way.
 *
 * @throws TerminalError `interrupted`
 */
export async function runChecks(
  vectors: Vectors,
  intake: IntakeUnderTest,
  say: (line: string) => void,
): Promise<CheckCounts> {
  const checks = checksOf(vectors);
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let passed = 0;
  for (const check of checks) {
    if (interrupted.signal.aborted) throw new TerminalError('interrupted', 'Interrupted before all vectors were run.');
    const mismatch = await check.run(intake);
    if (mismatch === undefined) passed += 1;
    say(mismatch === undefined ? `ok ${check.name}` : failure(check.name, mismatch.expected, mismatch.got));
  }
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  const shortfalls = shortfallsOf(vectors, checks);
  for (const shortfall of shortfalls) say(`FAILED manifest.json: ${shortfall}`);
  const failed = checks.length - passed + shortfalls.length;
  say(`${passed} passed, ${failed} failed`);
  return { passed, failed };
}

function failure(name: string, expected: string, got: string): string {
  return `FAILED ${name}: expected ${expected}, got ${got}`;
}
