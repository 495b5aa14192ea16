import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { assetPath } from './assets.js';
import { PartsError } from './parts-error.js';

/** How to run a part. It gets a process group of its own, nothing on its standard input, and a log file. */
export interface PartCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Standard output and error are appended to it. */
  readonly logFile: string;
  /** What ends it at once and in good order; used when nobody waits for it any more. */
  readonly quitSignal: NodeJS.Signals;
  /** The user to run it as; our own if absent. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface PartExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running part. */
export interface PartProcess {
  readonly pid: number;
  /** Whether it has ended. */
  readonly ended: boolean;
  /** Waits for its end. */
  untilExit(): Promise<PartExit>;
  /** Signals its process group; nothing happens if it has ended. */
  signal(signal: NodeJS.Signals): Promise<void>;
}

/** What the program asks; see assets/watchdog.mjs, the other end. */
type Request =
  | ({ do: 'start'; uid?: number; gid?: number } & Omit<PartCommand, 'user'>)
  | { do: 'signal'; pid: number; signal: NodeJS.Signals }
  | { do: 'folder'; prefix: string }
  | { do: 'keep'; socket: string; stateFile: string };

interface Answer {
  readonly id: number;
  readonly pid?: number;
  readonly folder?: string;
  readonly error?: string;
}

type Report = Answer | ({ readonly exited: number } & PartExit);

interface Waiting {
  /** What is being started, if this is a start. */
  readonly part: PartCommand | undefined;
  readonly resolve: (answer: Answer & { process?: PartProcess }) => void;
}

interface LivePart {
  readonly quitSignal: NodeJS.Signals;
  readonly end: (exit: PartExit) => void;
}

/**
 * The program's side of the watchdog process, which is the parent of all parts and ends them when the program is gone.
 * Should the watchdog itself be killed, the program ends the parts: each guards them against the loss of the other.
 */
export class Watchdog {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #live = new Map<number, LivePart>();
  readonly #folders: string[] = [];
  #lastId = 0;
  /** How many calls wait for the watchdog. */
  #waits = 0;
  #gone = false;
  #finishing = false;

  constructor() {
    this.#process = fork(assetPath('watchdog.mjs'), [], {
      cwd: '/',
      detached: true,
      // Options that this program runs under (a debugger, module flags) are not the watchdog's.
      env: { ...process.env, NODE_OPTIONS: '' },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#process.on('message', (report) => {
      this.#receive(report as Report);
    });
    this.#process.once('exit', () => {
      this.#lost();
    });
    this.#process.on('error', () => {
      this.#lost();
    });
    this.#process.unref();
    this.#process.channel?.unref();
  }

  /** Runs a part. Throws `part_failed` if its command cannot be run at all. */
  async start(part: PartCommand): Promise<PartProcess> {
    const { user, ...rest } = part;
    const { process } = await this.#ask({ do: 'start', ...rest, ...user }, part);
    if (!process) throw lostError();
    return process;
  }

  /** A new folder, which the watchdog removes at the end. `prefix` is a path to which random letters are added. */
  async folder(prefix: string): Promise<string> {
    const { folder } = await this.#ask({ do: 'folder', prefix });
    if (folder === undefined) throw lostError();
    this.#folders.push(folder);
    return folder;
  }

  /** From now on the parts outlive the program, until someone writes to the socket; then `stateFile` is removed too. */
  async keep(socket: string, stateFile: string): Promise<void> {
    await this.#ask({ do: 'keep', socket, stateFile });
  }

  /** Ends what still runs, removes the folders, and ends the watchdog. */
  async finish(): Promise<void> {
    if (this.#finishing) return;
    this.#finishing = true;
    if (this.#gone) {
      await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 20 })));
      return;
    }
    const exit = once(this.#process, 'exit');
    this.#process.send({ do: 'finish' }, () => undefined);
    await this.#hold(exit);
  }

  async #ask(request: Request, part?: PartCommand): Promise<Parameters<Waiting['resolve']>[0]> {
    if (this.#gone) throw lostError();
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Parameters<Waiting['resolve']>[0]>((resolve) => {
      this.#waiting.set(id, { part, resolve });
    });
    this.#process.send({ id, ...request }, () => undefined);
    const answer = await this.#hold(answered);
    if (answer.error !== undefined)
      throw new PartsError('part_failed', `The watchdog of the local parts reports: ${answer.error}`);
    return answer;
  }

  #receive(report: Report): void {
    if ('exited' in report) {
      this.#live.get(report.exited)?.end({ code: report.code, signal: report.signal });
      return;
    }
    const waiting = this.#waiting.get(report.id);
    this.#waiting.delete(report.id);
    // The exit of a part that ends at once is the next message, so the part must be known before anyone awaits it.
    const isStarted = waiting?.part && report.pid !== undefined;
    waiting?.resolve(isStarted ? { ...report, process: this.#register(report.pid, waiting.part) } : report);
  }

  #register(pid: number, { quitSignal }: PartCommand): PartProcess {
    let ended = false;
    const exited = new Promise<PartExit>((resolve) => {
      const end = (exit: PartExit): void => {
        ended = true;
        this.#live.delete(pid);
        resolve(exit);
      };
      this.#live.set(pid, { quitSignal, end });
    });
    const signal = async (name: NodeJS.Signals): Promise<void> => {
      if (!ended) await this.#ask({ do: 'signal', pid, signal: name });
    };
    return {
      pid,
      untilExit: () => this.#hold(exited),
      signal,
      get ended() {
        return ended;
      },
    };
  }

  /** The watchdog has ended: in good order, or someone killed it and nobody but us can end the parts. */
  #lost(): void {
    this.#gone = true;
    for (const [pid, { quitSignal, end }] of this.#live) {
      try {
        process.kill(-pid, quitSignal);
      } catch {
        // It has ended by itself.
      }
      end({ code: null, signal: quitSignal });
    }
    for (const [id, { resolve }] of this.#waiting) resolve({ id, error: lostError().message });
    this.#waiting.clear();
  }

  /** Waits for something from the watchdog. Only meanwhile does the watchdog keep the program from ending by itself. */
  async #hold<T>(awaited: Promise<T>): Promise<T> {
    this.#waits += 1;
    this.#process.ref();
    this.#process.channel?.ref();
    try {
      return await awaited;
    } finally {
      this.#waits -= 1;
      if (this.#waits === 0) {
        this.#process.unref();
        this.#process.channel?.unref();
      }
    }
  }
}

function lostError(): PartsError {
  return new PartsError('watchdog_lost', 'The watchdog of the local parts has ended, and the parts with it.');
}
