import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FaultPointName } from '@v402/application';
import {
  ROLE_VARIABLE,
  SEED_VARIABLE,
  SKEW_VARIABLE,
  type ArmedAction,
  type FleetRole,
  type FromRole,
  type ToRole,
} from './role-messages.js';

const PROGRAM = fileURLToPath(new URL('../../dist/system/role-process.js', import.meta.url));
/** In time, or with something left to others. */
const ENDS: ReadonlySet<number> = new Set([0, 75]);
const READY_WITHIN_MS = 120_000;

export interface RoleChildOptions {
  readonly role: FleetRole;
  /** The same over restarts. */
  readonly name: string;
  /** Of what an operator decides. */
  readonly seed: number;
  readonly env: Readonly<Record<string, string>>;
  readonly skewMs: number;
  readonly logFile: string;
  /** Told when an operator was told no. */
  readonly onRefused: (code: string) => void;
  /** Told when it came to where a guard is taken out. */
  readonly onUnguarded: () => void;
}

/** One process of one role, or one operator. */
export class RoleChild {
  /** Resolves when its fault point is reached, with the point; or when it has ended, with nothing. */
  #reached = Promise.withResolvers<FaultPointName | undefined>();
  #isToldToEnd = false;
  #mayBeKilled = false;
  #isReady = false;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;

  private constructor(
    readonly options: RoleChildOptions,
    private readonly child: ChildProcess,
  ) {
    const ready = Promise.withResolvers<undefined>();
    this.ready = ready.promise;
    this.ready.catch(() => undefined);
    this.ended = once(child, 'exit').then(() => {
      this.#reached.resolve(undefined);
      ready.reject(new Error(`${options.name} ended before it was ready; its log: ${options.logFile}`));
    });
    setTimeout(() => {
      ready.reject(new Error(`${options.name} was not ready in time; its log: ${options.logFile}`));
    }, READY_WITHIN_MS).unref();
    child.on('message', (message: FromRole) => {
      switch (message.type) {
        case 'ready':
          this.#isReady = true;
          ready.resolve(undefined);
          return;
        case 'reached':
          this.#reached.resolve(message.point);
          return;
        case 'refused':
          options.onRefused(message.code);
          return;
        case 'unguarded':
          options.onUnguarded();
          return;
      }
    });
  }

  static start(options: RoleChildOptions): RoleChild {
    const log = openSync(options.logFile, 'a');
    const child = spawn(process.execPath, [PROGRAM], {
      env: {
        PATH: process.env['PATH'],
        ...options.env,
        [ROLE_VARIABLE]: options.role,
        [SKEW_VARIABLE]: String(options.skewMs),
        [SEED_VARIABLE]: String(options.seed),
      },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    child.on('error', () => undefined);
    return new RoleChild(options, child);
  }

  /** How it ended although nobody had killed it or told it to end. */
  get crash(): string | undefined {
    const { exitCode, signalCode } = this.child;
    const isKilled = this.wasKilled && this.#mayBeKilled;
    // Who is told to end while it starts has not begun to listen to that.
    const isEnded = ENDS.has(exitCode ?? -1) || (!this.#isReady && signalCode === 'SIGTERM');
    if (!this.hasEnded || isKilled || (this.#isToldToEnd && isEnded)) return undefined;
    return `${this.options.name} ended with ${exitCode ?? signalCode ?? 'nothing'}`;
  }

  /** By whomever: a system without memory does it, too. */
  get wasKilled(): boolean {
    return this.child.signalCode === 'SIGKILL';
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves when the point is reached the next time but `skip`; with nothing when the process ends first or by it. */
  arm(point: FaultPointName, action: ArmedAction, skip: number): Promise<FaultPointName | undefined> {
    this.#reached = Promise.withResolvers();
    if (action === 'kill') this.#mayBeKilled = true;
    if (this.hasEnded) this.#reached.resolve(undefined);
    this.#tell({ type: 'arm', point, action, skip });
    return this.#reached.promise;
  }

  disarm(): void {
    this.#tell({ type: 'disarm' });
  }

  goOn(): void {
    this.#tell({ type: 'go_on' });
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGTERM') this.#isToldToEnd = true;
    if (!this.hasEnded) this.child.kill(signal);
  }

  /** Wakes it after so long, even if this program is gone by then. */
  wakeAfter(ms: number): void {
    const seconds = (ms / 1000).toFixed(2);
    spawn('sh', ['-c', `sleep ${seconds}; kill -CONT ${this.child.pid ?? 0}`], {
      detached: true,
      stdio: 'ignore',
    }).unref();
  }

  async kill(): Promise<void> {
    this.#mayBeKilled = true;
    this.signal('SIGKILL');
    await this.ended;
  }

  #tell(message: ToRole): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }
}
