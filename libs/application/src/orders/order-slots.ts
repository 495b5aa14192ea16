import { setTimeout as sleep } from 'node:timers/promises';
import type { Claim } from '../ports/work-store.js';

const nameOf = ({ id, epoch }: Claim): string => `${id.toString()}/${epoch}`;

/** The orders that this process works on at this moment. */
export class OrderSlots {
  readonly #taken = new Set<string>();
  #freed = Promise.withResolvers<undefined>();

  get taken(): number {
    return this.#taken.size;
  }

  take(claims: readonly Claim[]): void {
    for (const claim of claims) this.#taken.add(nameOf(claim));
  }

  /** A claim that was freed before is none the worse for it. */
  free(claims: readonly Claim[]): void {
    for (const claim of claims) this.#taken.delete(nameOf(claim));
    this.#freed.resolve(undefined);
    this.#freed = Promise.withResolvers<undefined>();
  }

  /** Resolves `lingerMs` after one is freed, or when all are: what is free by then is taken together. */
  async untilFree(lingerMs: number): Promise<void> {
    if (this.#taken.size === 0) return;
    await this.#freed.promise;
    const stop = new AbortController();
    const lingered = sleep(lingerMs, undefined, { signal: stop.signal }).catch(() => undefined);
    await Promise.race([lingered, this.#allFreed()]);
    stop.abort();
  }

  async #allFreed(): Promise<void> {
    while (this.#taken.size > 0) await this.#freed.promise;
  }
}
