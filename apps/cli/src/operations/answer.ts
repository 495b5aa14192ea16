import { OperationRefused, type Resolved } from '@v402/application';
import { printable } from '@v402/domain';
import { EXIT_NO } from '../exit.js';
import { toJson } from '../json.js';
import { resolvedJson } from './case-json.js';

/** How an answer looks to people, and what of it is for programs. */
export interface Looks<T> {
  readonly text: (value: T) => string;
  readonly json: (value: T) => unknown;
}

/** Prints an answer; where it is no, its code and what stands in the way, with the exit status that says so. */
export async function answer<T>(
  { json }: { readonly json?: true },
  ask: () => Promise<T>,
  { text, json: plain }: Looks<T>,
): Promise<void> {
  try {
    const value = await ask();
    process.stdout.write(json === true ? toJson(plain(value)) : text(value));
  } catch (error) {
    if (!(error instanceof OperationRefused)) throw error;
    const { code, message, context } = error;
    process.exitCode = EXIT_NO;
    if (json === true) {
      process.stdout.write(toJson({ outcome: 'refused', code, message, context }));
      return;
    }
    const lines = Object.entries(context).map(([name, value]) => `  ${name}: ${printable(String(value))}\n`);
    process.stderr.write(`${code}: ${printable(message)}\n${lines.join('')}`);
  }
}

/** What an action came to. */
export const RESOLVED: Looks<Resolved> = { text: resolvedText, json: resolvedJson };

function resolvedText(resolved: Resolved): string {
  const { audit } = resolved;
  const entry = `Audit entry ${audit.sequence.toString()}, digest ${audit.digest}.\n`;
  if (resolved.outcome === 'pending') {
    return `Waits for a second person: v402 quarantine approve ${resolved.approvalId}\n${entry}`;
  }
  const changes = Object.entries(resolved.changes).map(([name, text]) => `  ${name}: ${printable(text)}\n`);
  return `Done: ${audit.action} of ${resolved.caseId}.\n${changes.join('')}${entry}`;
}
