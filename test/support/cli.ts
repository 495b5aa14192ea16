import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const bin = join(import.meta.dirname, '../../apps/cli/bin/v402.js');

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The caller's environment without its own V402_* variables, so that only what a test gives is read. */
const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(V402_|NODE_OPTIONS$|NODE_DEBUG$|FORCE_COLOR$|CI$)/.test(name)),
  );

/** Starts the built command line as a process of its own. */
export const startV402 = (args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, [bin, ...args], { env: { ...cleanEnvironment(), ...env } });

/** Runs the built command line to its end. */
export async function v402(
  args: readonly string[],
  { stdin = '', env = {} }: { readonly stdin?: string | Uint8Array; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<CliResult> {
  const child = startV402(args, env);
  // A command that reads no input may have ended before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, stdout, stderr };
}
