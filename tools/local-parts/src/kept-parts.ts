import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { PartsError } from './parts-error.js';

/** What is written down about parts that outlive their program. It holds a password: readable by its owner only. */
export interface KeptParts {
  readonly kafkaBrokers: string | undefined;
  readonly postgresUrl: string | undefined;
  /** The watchdog listens there for the word to stop. */
  readonly socket: string;
  readonly folder: string;
}

/** Where the parts kept in a folder are written down. */
export function stateFile(dir: string): string {
  return join(resolve(dir), 'local-parts.json');
}

/** The parts that were kept in a folder, or nothing. */
export async function readKept(dir: string): Promise<KeptParts | undefined> {
  const text = await readFile(stateFile(dir), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as KeptParts);
}

/** Whether their watchdog is still there. */
export async function areRunning(kept: KeptParts): Promise<boolean> {
  const socket = await reach(kept);
  socket?.destroy();
  return socket !== undefined;
}

/** Stops the parts that were kept in a folder and removes all that they left. Throws `parts_not_kept`. */
export async function stopKept(dir: string): Promise<void> {
  const kept = await readKept(dir);
  if (!kept) throw new PartsError('parts_not_kept', `No parts are kept in ${resolve(dir)}.`);
  const socket = await reach(kept);
  if (socket) {
    socket.write('stop\n');
    socket.resume();
    await once(socket, 'close');
  }
  // The watchdog has removed both, unless the machine was restarted since.
  await rm(kept.folder, { recursive: true, force: true });
  await rm(stateFile(dir), { force: true });
}

async function reach(kept: KeptParts): Promise<Socket | undefined> {
  const socket = connect(kept.socket);
  try {
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return socket;
  } catch {
    return undefined;
  }
}
