import { RetryableError, type MonotonicClock } from '@v402/domain';
import type { Alarms } from '../ports/seams.js';

/** Failures that concern one topic: the others can be published meanwhile. */
const OF_A_TOPIC: ReadonlySet<string> = new Set(['topic_missing', 'authorization_failed']);

export const isOfATopic = (error: unknown): error is RetryableError =>
  error instanceof RetryableError && OF_A_TOPIC.has(error.code);

/** Output topics that take no events for now. Each is tried again after a while, and said once until it takes them again. */
export class HeldTopics {
  readonly #retryAtMs = new Map<string, number>();
  #stuckBy: RetryableError | undefined;

  constructor(
    private readonly retryMs: number,
    private readonly clock: MonotonicClock,
    private readonly alarms: Alarms,
  ) {}

  /** Those that are not to be tried now. */
  now(): readonly string[] {
    return [...this.#retryAtMs].flatMap(([topic, retryAtMs]) => (this.clock.nowMs() < retryAtMs ? [topic] : []));
  }

  /** Why a topic is held, as long as no other has taken anything since: then whoever publishes makes no progress. */
  get stuckBy(): RetryableError | undefined {
    return this.#stuckBy;
  }

  hold(topic: string, error: RetryableError): void {
    const { code } = error;
    this.#stuckBy = error;
    const isKnown = this.#retryAtMs.has(topic);
    this.#retryAtMs.set(topic, this.clock.nowMs() + this.retryMs);
    if (isKnown) return;
    const message = 'An output topic takes no events. Its events wait in order; all other topics go on.';
    this.alarms.raise('output_topic_held', message, { topic, reason: code });
  }

  release(topic: string): void {
    this.#stuckBy = undefined;
    this.#retryAtMs.delete(topic);
  }

  /** Nothing waits for any of them any more: another relay has published it. */
  releaseAll(): void {
    this.#stuckBy = undefined;
    this.#retryAtMs.clear();
  }
}
