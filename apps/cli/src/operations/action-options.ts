import { userInfo } from 'node:os';
import type { Command } from 'commander';

/** Who acts and why. */
export interface ActionOptions {
  readonly actor: string;
  readonly reason: string;
  readonly json?: true;
}

/** The options that every action has. */
export function withActionOptions(command: Command): Command {
  return command
    .option('--actor <name>', 'who acts (default: your login name)', loginName())
    .requiredOption('--reason <text>', 'why; kept for good')
    .option('--json', 'print the answer as JSON');
}

/** A container may run under a number that has no name. */
export function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? 'unknown')}`;
  }
}
