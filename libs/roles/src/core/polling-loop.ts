import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkTopic } from '@v402/application';
import { backoffMs, codeOf, RetryableError } from '@v402/domain';
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

export interface LoopLimits {
  /** How long rounds may fail. */
  readonly failingMs: number;
  /** How long one round may take. */
  readonly roundMs: number;
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
  /** By the monotonic clock; undefined while rounds succeed, and while none is under way. */
  #failingSinceMs: number | undefined;
  #roundSinceMs: number | undefined;

  constructor(
    private readonly options: LoopOptions,
    private readonly wake: InProcessWake,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  /** Begins no further round. */
  end(): void {
    this.#stopping.abort();
  }

  /** Ends after the round under way. */
  async stop(): Promise<void> {
    this.end();
    await this.#running;
    await this.options.onStop?.().catch((error: unknown) => {
      this.log.warn({ role: this.options.topic, code: codeOf(error) }, 'What this role held could not be given back.');
    });
  }

  /** Why this loop makes no progress, as a stable code; null while rounds succeed, or one is under way within its limit. */
  trouble({ failingMs, roundMs }: LoopLimits): string | null {
    const nowMs = performance.now();
    if (this.#running === undefined) return 'not_started';
    if (this.#roundSinceMs !== undefined && nowMs - this.#roundSinceMs > roundMs) return 'round_stuck';
    const isFailing = this.#failingSinceMs !== undefined && nowMs - this.#failingSinceMs > failingMs;
    return isFailing ? (this.#failingCode ?? null) : null;
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
    this.#roundSinceMs = performance.now();
    try {
      const done = await round();
      if (this.#failingCode !== undefined) this.log.info({ role }, 'The role goes on.');
      this.#failures = 0;
      this.#failingCode = undefined;
      this.#failingSinceMs = undefined;
      return done;
    } catch (error) {
      this.#failures += 1;
      const code = codeOf(error);
      if (code !== this.#failingCode) {
        const level = error instanceof RetryableError ? 'warn' : 'error';
        this.log[level]({ role, code, err: error }, 'The role cannot work now. It tries again until it can.');
      }
      this.#failingCode = code;
      this.#failingSinceMs ??= performance.now();
      return 'failed';
    } finally {
      this.#roundSinceMs = undefined;
    }
  }
}
