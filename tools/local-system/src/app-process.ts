import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RetryableError } from '@v402/domain';

/** What runs on its own: all roles in one process, or one role. */
export type App = 'standalone' | 'intake' | 'orders' | 'workflows' | 'relay';

const mainOf = (app: App): string => fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));
const END_WITH_PARENT = new URL('../assets/end-with-parent.mjs', import.meta.url).href;

/** What an app logs when its roles run and, where it takes contracts, the broker has given it partitions to read. */
const readyLine = (app: App): string =>
  app === 'standalone' || app === 'intake' ? '"state":"consuming"' : '"msg":"The roles run."';
const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 15_000;

export interface AppOptions {
  readonly app: App;
  readonly env: Readonly<Record<string, string>>;
  /** Gets the app's standard output and error. */
  readonly logFile: string;
  /** Whether the app goes on when this program has ended. */
  readonly outlive: boolean;
}

/** An app as a process of its own, known by its addresses and its log alone. */
export class AppProcess {
  private constructor(
    readonly app: App,
    private readonly child: ChildProcess,
    readonly logFile: string,
  ) {}

  static start({ app, env, logFile, outlive }: AppOptions): AppProcess {
    const log = openSync(logFile, 'w');
    const child = spawn(process.execPath, [...(outlive ? [] : ['--import', END_WITH_PARENT]), mainOf(app)], {
      env: { PATH: process.env['PATH'], ...env },
      // A group of its own: Ctrl-C reaches this program alone, which then stops the app.
      detached: true,
      stdio: [outlive ? 'ignore' : 'pipe', log, log],
    });
    closeSync(log);
    if (outlive) child.unref();
    return new AppProcess(app, child, logFile);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /**
   * Waits until the app works.
   * @throws RetryableError `app_not_started`; the log says why
   */
  async untilReady(signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!(await readFile(this.logFile, 'utf8')).includes(readyLine(this.app))) {
      if (this.hasEnded || performance.now() > deadline) {
        const message = `The app ${this.app} did not start. Its log: ${this.logFile}`;
        throw new RetryableError('app_not_started', message);
      }
      await sleep(50, undefined, { signal });
    }
  }

  /** Resident memory in bytes, now and at its peak; nothing where the operating system does not say (Linux does). */
  async memory(): Promise<{ readonly residentBytes: number; readonly peakBytes: number } | undefined> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8').catch(() => '');
    const [resident, peak] = ['VmRSS', 'VmHWM'].map(
      (name) => new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1],
    );
    if (resident === undefined || peak === undefined) return undefined;
    return { residentBytes: Number(resident) * 1024, peakBytes: Number(peak) * 1024 };
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Asks it to end in good order, and kills it if it has not done so in time. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(killer);
  }
}
