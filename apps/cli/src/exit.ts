import { debuglog } from 'node:util';
import { printableLines, RetryableError, TerminalError } from '@v402/domain';
import { PartsError } from '@v402/local-parts';
import { CommanderError } from 'commander';

/** What was asked for was done, and the answer is no: refused, failed, not found. */
export const EXIT_NO = 1;
/** Nothing speaks against it, but something could not be looked at. */
export const EXIT_UNPROVEN = 3;
/** There is no answer: wrong usage, a file that cannot be read, a part that is away. */
const EXIT_TROUBLE = 2;

export const EXIT_STATUSES = `
Exit status:
  0   done; the answer is yes
  1   the answer is no: refused, failed, not found, not in order
  2   no answer: wrong usage, a file that cannot be read, a part that is away
  3   reconcile: nothing differs, but a part could not be looked at
  75  run: ended by a signal with work under way, which others take over
  78  run: the configuration cannot work
  130 demo: interrupted`;

const debug = debuglog('v402');

export function exitStatusOf(error: unknown): number {
  return error instanceof CommanderError && error.exitCode === 0 ? 0 : EXIT_TROUBLE;
}

/**
 * One clear sentence with its code, for standard error. What commander reports it has written itself. Of an error that
 * nobody foresaw only its kind is shown, since its message may quote what was read; NODE_DEBUG=v402 shows all of it.
 */
export function reportOf(error: unknown): string {
  debug('%o', error);
  if (error instanceof CommanderError) return '';
  if (error instanceof TerminalError || error instanceof RetryableError || error instanceof PartsError) {
    return `${error.code}: ${printableLines(error.message)}\n`;
  }
  const kind = error instanceof Error ? error.name : typeof error;
  return `unexpected_error: The command failed with ${kind}. With NODE_DEBUG=v402 it shows where.\n`;
}
