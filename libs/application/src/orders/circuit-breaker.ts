import { backoffMs, type Backoff, type MonotonicClock } from '@v402/domain';

export interface CircuitPolicy {
  /** So many failures in a row open the circuit. */
  readonly failures: number;
  /** How long it stays open: longer each time that it does not close in between. */
  readonly open: Backoff;
}

/** `closed`: all goes on. `open`: nothing is asked. `half_open`: one question at a time shows whether it can close. */
export type CircuitState = 'closed' | 'open' | 'half_open';

/**
 * Leaves an order system alone that does not answer, and finds out when it does again. By the monotonic clock: a wall
 * clock that is set must neither hold orders up nor hammer an order system.
 */
export class CircuitBreaker {
  #failures = 0;
  #openings = 0;
  #openUntilMs: number | undefined;
  #isAnswering = false;

  constructor(
    private readonly policy: CircuitPolicy,
    private readonly clock: MonotonicClock,
    /** Told when it opens, and not again before it has closed. */
    private readonly onOpen: () => void,
  ) {}

  get state(): CircuitState {
    if (this.#openUntilMs === undefined) return 'closed';
    return this.clock.nowMs() < this.#openUntilMs ? 'open' : 'half_open';
  }

  /** Whether the last that was heard of the order system was an answer. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** The order system has answered, whatever it said. */
  answered(): void {
    this.#isAnswering = true;
    this.#failures = 0;
    this.#openings = 0;
    this.#openUntilMs = undefined;
  }

  /**
   * The order system could not be asked, or did not answer.
   * @param retryAfterMs it said itself when to come back: that opens the circuit at once
   */
  failed(retryAfterMs = 0): void {
    this.#isAnswering = false;
    this.#failures += 1;
    const isEnough = this.#failures >= this.policy.failures || retryAfterMs > 0 || this.state === 'half_open';
    // A call from before that fails while it is open says nothing new.
    if (isEnough && this.state !== 'open') this.#open(retryAfterMs);
  }

  #open(retryAfterMs: number): void {
    this.#openings += 1;
    const { open } = this.policy;
    const pauseMs = Math.max(backoffMs(open, this.#openings), Math.min(retryAfterMs, open.maxMs));
    this.#openUntilMs = this.clock.nowMs() + pauseMs;
    if (this.#openings === 1) this.onOpen();
  }
}
