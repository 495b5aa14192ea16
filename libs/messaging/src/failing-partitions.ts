import { backoffMs, RetryableError, TerminalError, type Backoff } from '@v402/domain';
import type { KafkaLog } from './kafka-client.js';

/** A partition whose handler failed. It is paused, then handed the same records again, until the handler succeeds. */
export interface FailingPartition {
  readonly topic: string;
  readonly partition: number;
  /** Code of the handler's error; `handler_failed` for an error without one. */
  readonly code: string;
  /** `terminal`: trying again helps only once an operator has changed something. */
  readonly kind: 'terminal' | 'retryable';
  /** Failures in a row. */
  readonly attempts: number;
  /** Since the first of them, in milliseconds by a monotonic clock. */
  readonly failingMs: number;
}

interface Failure extends Omit<FailingPartition, 'failingMs'> {
  readonly sinceMs: number;
}

/** Remembers which partitions fail, for how long each waits, and says so once per cause instead of once per attempt. */
export class FailingPartitions {
  readonly #failing = new Map<string, Failure>();

  constructor(
    private readonly backoff: Backoff,
    private readonly log: KafkaLog,
  ) {}

  /** Records a failure and returns how long the partition pauses, in milliseconds. */
  failed(topic: string, partition: number, error: unknown): number {
    const id = key(topic, partition);
    const before = this.#failing.get(id);
    const attempts = (before?.attempts ?? 0) + 1;
    const sinceMs = before?.sinceMs ?? performance.now();
    const { code, kind } = classify(error);
    const isNews = !this.#isKnown(code);
    this.#failing.set(id, { topic, partition, code, kind, attempts, sinceMs });
    if (isNews) {
      const remedy =
        kind === 'terminal' ? 'it needs an operator and is tried again meanwhile' : 'it is tried again by itself';
      this.log(
        kind === 'terminal' ? 'error' : 'warn',
        `A batch of ${topic} could not be handled (${code}): ${remedy}.`,
        {
          topic,
          partition,
          code,
          error,
        },
      );
    }
    // A terminal error waits the longest from the start: it does not pass by itself.
    return kind === 'terminal' ? this.backoff.maxMs : backoffMs(this.backoff, attempts);
  }

  succeeded(topic: string, partition: number): void {
    const failing = this.#failing.get(key(topic, partition));
    if (failing === undefined) return;
    this.#failing.delete(key(topic, partition));
    if (this.#isKnown(failing.code)) return;
    this.log('info', `Batches of ${topic} are handled again (after ${failing.code}).`, { topic, code: failing.code });
  }

  /** Forgets partitions that another member of the group has now. */
  keepOnly(isAssigned: (topic: string, partition: number) => boolean): void {
    for (const [id, { topic, partition }] of this.#failing) {
      if (!isAssigned(topic, partition)) this.#failing.delete(id);
    }
  }

  snapshot(): readonly FailingPartition[] {
    const nowMs = performance.now();
    return [...this.#failing.values()].map(({ sinceMs, ...failing }) => ({ ...failing, failingMs: nowMs - sinceMs }));
  }

  #isKnown(code: string): boolean {
    return [...this.#failing.values()].some((failing) => failing.code === code);
  }
}

function classify(error: unknown): Pick<FailingPartition, 'code' | 'kind'> {
  if (error instanceof TerminalError || error instanceof RetryableError) return { code: error.code, kind: error.kind };
  return { code: 'handler_failed', kind: 'retryable' };
}

function key(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
