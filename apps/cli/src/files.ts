import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { TerminalError } from '@v402/domain';

/**
 * The bytes of a file, or of standard input for `-`.
 * @throws TerminalError `file_unreadable`
 */
export async function readInput(file: string): Promise<Uint8Array> {
  return file === '-' ? buffer(process.stdin) : readBytes(file);
}

/** @throws TerminalError `file_unreadable` */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new TerminalError('file_unreadable', `${file} cannot be read: ${reasonOf(cause)}.`, {}, { cause });
  }
}

/**
 * Writes a file whole or not at all, and for its owner's eyes alone: what the commands write holds names and amounts. What is
 * no file, such as a pipe, is written to as it is.
 * @throws TerminalError `file_unwritable`
 */
export async function writeText(file: string, text: string): Promise<void> {
  try {
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) await replaceFile(file, text);
    else if (found.isFile()) await replaceFile(await realpath(file), text);
    else await writeFile(file, text);
  } catch (cause) {
    throw new TerminalError('file_unwritable', `${file} cannot be written: ${reasonOf(cause)}.`, {}, { cause });
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
};

/** Why the file system said no, in words. */
export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  return REASONS[code] ?? code;
}
