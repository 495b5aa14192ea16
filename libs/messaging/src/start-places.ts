import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer } from 'kafkajs';
import type { Assignment, ConsumerSettings } from './consumer-settings.js';
import type { FailingPartitions } from './failing-partitions.js';
import { settledWithin } from './within.js';

const COMMIT_WITHIN_MS = 5_000;

/**
 * Fetches nothing from a partition before it is known where consumption begins there. As long as nobody can say, its
 * partitions wait: a wrong beginning would skip messages, and what waits is still there later.
 */
export class StartPlaces {
  #searching: AbortController | undefined;

  constructor(
    private readonly consumer: Pick<Consumer, 'pause' | 'resume' | 'seek' | 'commitOffsets'>,
    private readonly settings: Pick<ConsumerSettings, 'place' | 'backoff'>,
    private readonly failing: Pick<FailingPartitions, 'failed' | 'succeeded'>,
    private readonly commitWithinMs = COMMIT_WITHIN_MS,
  ) {}

  /** Pauses the partitions at once, and resumes them where they begin. A later call takes the place of an earlier one. */
  find(assignments: readonly Assignment[]): void {
    const { place } = this.settings;
    if (place === undefined) return;
    this.end();
    const searching = new AbortController();
    this.#searching = searching;
    for (const { topic, partitions } of assignments) this.consumer.pause([{ topic, partitions: [...partitions] }]);
    const searches = assignments.map((assignment) => this.#search(place, assignment, searching.signal));
    void Promise.all(searches).then(() => {
      if (this.#searching === searching) this.#searching = undefined;
    });
  }

  /** Whether partitions are paused for it: then nobody else may resume them. */
  areSought(): boolean {
    return this.#searching !== undefined;
  }

  end(): void {
    this.#searching?.abort();
    this.#searching = undefined;
  }

  async #search(
    place: NonNullable<ConsumerSettings['place']>,
    assignment: Assignment,
    signal: AbortSignal,
  ): Promise<void> {
    const { topic, partitions } = assignment;
    while (!signal.aborted) {
      try {
        const begins = await place(assignment);
        if (!isOver(signal)) await this.#begin(assignment, begins, signal);
        return;
      } catch (error) {
        if (isOver(signal)) return;
        const waits = partitions.map((partition) => this.failing.failed(topic, partition, error));
        await delay(Math.min(...waits, this.settings.backoff.maxMs), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #begin(
    { topic, partitions }: Assignment,
    begins: ReadonlyMap<number, bigint>,
    signal: AbortSignal,
  ): Promise<void> {
    const places = [...begins].map(([partition, offset]) => ({ topic, partition, offset: offset.toString() }));
    for (const place of places) this.consumer.seek(place);
    // What the group has committed may be far away, and whoever looks at its lag would see that until the next message. A
    // commit that fails, or that nobody answers, is no matter: whoever has the partitions next is told where they begin.
    await settledWithin(this.consumer.commitOffsets(places), this.commitWithinMs);
    if (isOver(signal)) return;
    for (const partition of partitions) this.failing.succeeded(topic, partition);
    this.consumer.resume([{ topic, partitions: [...partitions] }]);
  }
}

/** Asked after each wait: it may have changed meanwhile. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;
