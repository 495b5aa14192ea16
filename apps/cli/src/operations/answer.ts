import { OperationRefused, type Resolved } from '@v402/application';
import { printable, printableJson } from '@v402/domain';
import { EXIT_NO } from '../exit.js';
import { asJson } from './as-json.js';

/** Prints an answer; where it is no, its code and what stands in the way, with the exit status that says so. */
export async function answer<T>(
  { json }: { readonly json?: true },
  ask: () => Promise<T>,
  text: (value: T) => string,
): Promise<void> {
  try {
    const value = await ask();
    process.stdout.write(json === true ? jsonText(asJson(value)) : text(value));
  } catch (error) {
    if (!(error instanceof OperationRefused)) throw error;
    const { code, message, context } = error;
    process.exitCode = EXIT_NO;
    if (json === true) {
      process.stdout.write(jsonText({ outcome: 'refused', code, message, context }));
      return;
    }
    const lines = Object.entries(context).map(([name, value]) => `  ${name}: ${printable(String(value))}\n`);
    process.stderr.write(`${code}: ${printable(message)}\n${lines.join('')}`);
  }
}

const jsonText = (value: unknown): string => `${printableJson(JSON.stringify(value, null, 2))}\n`;

/** What an action came to. */
export function resolvedText(resolved: Resolved): string {
  const { audit } = resolved;
  const entry = `Audit entry ${audit.sequence.toString()}, digest ${audit.digest}.\n`;
  if (resolved.outcome === 'pending') {
    return `Waits for a second person: v402 quarantine approve ${resolved.approvalId}\n${entry}`;
  }
  const changes = Object.entries(resolved.changes).map(([name, text]) => `  ${name}: ${printable(text)}\n`);
  return `Done: ${audit.action} of ${resolved.caseId}.\n${changes.join('')}${entry}`;
}
