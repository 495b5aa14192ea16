import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkTopic } from '@v402/application';
import { backoffMs, RetryableError, TerminalError } from '@v402/domain';
import type { Logger } from '@v402/observability';
import type { InProcessWake } from './in-process-wake.js';

export interface LoopOptions {
  readonly topic: WorkTopic;
  readonly pollMs: number;
  /** One round; returns how much was done, 0 when there is nothing to do. */
  readonly round: () => Promise<number>;
  /** Gives back what other processes wait for. Runs once, after the last round. */
  readonly onStop?: () => Promise<void>;
}

const BACKOFF = { firstMs: 100, maxMs: 5_000 };

/**
 * Runs rounds as long as there is work, then waits for a hint or the next poll. A round that fails is tried again with a
 * backoff for ever, so that the role goes on by itself when what it needs is back; each change is said once.
 */
export class PollingLoop {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;
  #failingCode: string | undefined;

  constructor(
    private readonly options: LoopOptions,
    private readonly wake: InProcessWake,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends after the round under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.options.onStop?.().catch((error: unknown) => {
      this.log.warn({ role: this.options.topic, code: codeOf(error) }, 'What this role held could not be given back.');
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const done = await this.#round();
      if (done === 'failed') {
        await sleep(backoffMs(BACKOFF, this.#failures), undefined, { signal }).catch(() => undefined);
      } else if (done === 0) {
        await this.wake.wait(this.options.topic, this.options.pollMs, signal);
      }
    }
  }

  async #round(): Promise<number | 'failed'> {
    const { topic: role, round } = this.options;
    try {
      const done = await round();
      if (this.#failingCode !== undefined) this.log.info({ role }, 'The role goes on.');
      this.#failures = 0;
      this.#failingCode = undefined;
      return done;
    } catch (error) {
      this.#failures += 1;
      const code = codeOf(error);
      if (code !== this.#failingCode) {
        const level = error instanceof RetryableError ? 'warn' : 'error';
        this.log[level]({ role, code, err: error }, 'The role cannot work now. It tries again until it can.');
      }
      this.#failingCode = code;
      return 'failed';
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof RetryableError || error instanceof TerminalError ? error.code : 'unexpected_error';
}
