import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartsError } from './parts-error.js';
import type { PartCommand, PartExit, PartProcess, Watchdog } from './watchdog.js';

const PROBE_EVERY_MS = 25;
const READY_WITHIN_MS = 180_000;
const TAIL_CHARACTERS = 2_000;

/** The end of a log, or nothing if there is none. */
export async function logTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.slice(-TAIL_CHARACTERS).trim();
}

/** Runs a command to its end; throws `part_failed` with the end of its log if it fails. */
export async function runToEnd(watchdog: Watchdog, name: string, command: PartCommand): Promise<void> {
  const process = await watchdog.start(command);
  const exit = await process.untilExit();
  if (exit.code !== 0) throw new PartsError('part_failed', await failure(`${name} failed`, exit, command.logFile));
}

/** Starts a part and waits until `probe` says that it answers. Throws `port_taken` or `part_failed`. */
export async function startPart(
  watchdog: Watchdog,
  name: string,
  command: PartCommand,
  probe: () => Promise<boolean>,
): Promise<PartProcess> {
  await rm(command.logFile, { force: true });
  const process = await watchdog.start(command);
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await probe())) {
    if (process.ended) throw await startFailure(name, await process.untilExit(), command.logFile);
    if (performance.now() > deadline) {
      await process.signal('SIGKILL');
      const text = await logTail(command.logFile);
      throw new PartsError(
        'part_failed',
        `${name} did not answer within ${READY_WITHIN_MS} ms. Its log ends:\n${text}`,
      );
    }
    await sleep(PROBE_EVERY_MS);
  }
  return process;
}

/** Asks a part to end, and kills it if it has not done so in time. */
export async function endPart(process: PartProcess, signal: NodeJS.Signals, withinMs: number): Promise<void> {
  await process.signal(signal);
  const patience = new AbortController();
  const late = sleep(withinMs, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([process.untilExit(), late]);
  patience.abort();
  if (!process.ended) await process.signal('SIGKILL');
  await process.untilExit();
}

async function startFailure(name: string, exit: PartExit, logFile: string): Promise<PartsError> {
  const message = await failure(`${name} ended while it started`, exit, logFile);
  return new PartsError(/address already in use/i.test(message) ? 'port_taken' : 'part_failed', message);
}

async function failure(what: string, exit: PartExit, logFile: string): Promise<string> {
  const how = exit.signal === null ? `exit status ${exit.code ?? 'unknown'}` : exit.signal;
  return `${what} (${how}). Its log ends:\n${await logTail(logFile)}`;
}
