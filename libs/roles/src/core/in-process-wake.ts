import { Wake, type WorkTopic } from '@v402/application';

/** Wakes the roles of this process. A hint that comes while its role is busy is kept until it waits. */
export class InProcessWake extends Wake {
  readonly #hinted = new Set<WorkTopic>();
  readonly #waiting = new Map<WorkTopic, () => void>();

  override hint(...topics: readonly WorkTopic[]): void {
    for (const topic of topics) {
      this.#hinted.add(topic);
      this.#waiting.get(topic)?.();
    }
  }

  /** Resolves on a hint, after `timeoutMs`, or when the signal is aborted. */
  async wait(topic: WorkTopic, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#hinted.has(topic) && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const done = (): void => {
        resolve(undefined);
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.set(topic, done);
      signal.addEventListener('abort', done);
      await promise;
      clearTimeout(timer);
      // The signal lives as long as the role, and so would each wait's listener.
      signal.removeEventListener('abort', done);
      this.#waiting.delete(topic);
    }
    this.#hinted.delete(topic);
  }
}
