// @ts-check
/**
 * Stands between a program and the parts it started. It is the parent of every part, in a session of its own, and holds
 * one end of a pipe to the program. When the pipe ends, for whatever reason (a kill -9 of the program's whole process
 * group included), it stops the parts and removes their folders. A process id is only ever signalled while it is our
 * unreaped child, so a reused id is never hit.
 *
 * It is plain JavaScript, since it is run as it stands by programs that run from sources as well as from built ones.
 * Messages: see `Request` and `Report` in ../src/watchdog.ts.
 */
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';

/** How long a part may take for its quick end before it is killed. */
const QUICK_END_MS = 5_000;

/** @type {Map<number, { child: import('node:child_process').ChildProcess, quitSignal: NodeJS.Signals, gone: Promise<void> }>} */
const parts = new Map();
/** @type {string[]} */
const leftovers = [];
/** @type {Promise<void> | undefined} */
let finishing;
let kept = false;

/** @param {object} message */
function report(message) {
  // The program may be gone by now; the callback takes the error that this makes.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function signalGroup(pid, signal) {
  if (!parts.has(pid)) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended; its exit is about to be reported.
  }
}

function finish() {
  finishing ??= (async () => {
    for (const [pid, { quitSignal }] of parts) signalGroup(pid, quitSignal);
    const late = setTimeout(() => {
      for (const pid of parts.keys()) signalGroup(pid, 'SIGKILL');
    }, QUICK_END_MS);
    while (parts.size > 0) await Promise.all([...parts.values()].map((part) => part.gone));
    clearTimeout(late);
    for (const path of leftovers) {
      try {
        rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      } catch {
        // Nobody is left to tell; the other folders still go.
      }
    }
    process.exit(0);
  })();
  return finishing;
}

/** @param {any} request */
function start({ id, command, args, cwd, env, uid, gid, logFile, quitSignal }) {
  const log = openSync(logFile, 'a');
  const user = uid === undefined ? {} : { uid, gid };
  const child = spawn(command, args, { cwd, env, ...user, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', (error) => report({ id, error: error.message }));
  const pid = child.pid;
  if (pid === undefined) return;
  const gone = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      parts.delete(pid);
      report({ exited: pid, code, signal });
      resolve(undefined);
    });
  });
  parts.set(pid, { child, quitSignal, gone });
  report({ id, pid });
}

/** From now on the parts outlive the program, until someone connects to the socket. @param {any} request */
function keep({ id, socket, stateFile }) {
  leftovers.push(stateFile);
  const server = createServer((client) => {
    client.on('error', () => undefined);
    // The connection ends with this process: that tells the asker that everything is gone.
    client.once('data', () => void finish());
  });
  server.once('error', (error) => report({ id, error: error.message }));
  process.umask(0o077);
  server.listen(socket, () => {
    kept = true;
    report({ id });
  });
}

/** @param {any} request */
function answer(request) {
  if (finishing) return report({ id: request.id, error: 'the watchdog is stopping the parts' });
  try {
    switch (request.do) {
      case 'start':
        return start(request);
      case 'signal':
        signalGroup(request.pid, request.signal);
        return report({ id: request.id });
      case 'folder': {
        const folder = mkdtempSync(request.prefix);
        leftovers.push(folder);
        // Others may pass through to what is theirs in it, but not list it.
        chmodSync(folder, 0o711);
        return report({ id: request.id, folder });
      }
      case 'keep':
        return keep(request);
      case 'finish':
        return void finish();
    }
  } catch (error) {
    report({ id: request.id, error: error instanceof Error ? error.message : String(error) });
  }
}

process.on('message', answer);
process.on('disconnect', () => {
  if (!kept) void finish();
});
process.on('uncaughtException', () => void finish());
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => void finish());
// The program may have died before the listeners above were there.
if (!process.connected) void finish();
