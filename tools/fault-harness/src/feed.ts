import { setTimeout as sleep } from 'node:timers/promises';
import type { Send } from './stories/story.js';
import type { Installation } from './system/installation.js';

const CHUNK = 60;
/** Records that may wait in the contracts topic. */
const MAX_LAG = 1_500n;
const LAG_EVERY_CHUNKS = 5;
const LAG_POLL_MS = 200;
const OVER_POLL_MS = 50;
/** How long nothing more may be sent until that counts as what a fault has done, and not as what many of them have. */
const STANDSTILL_MS = 20_000;
const QUIET_PATIENCE_MS = 20_000;
/** How many messages are sent at a time in a quiet moment. */
const FEW = 5;
/** A broker that was killed is back long before. */
const SEND_PATIENCE_MS = 180_000;

/** Sends the messages in step with what is taken of them. */
export class Feed {
  #sent = 0;
  #sentBefore = 0;
  /** Set while somebody needs a quiet moment. */
  #paused: Promise<void> | undefined;
  #isOver = false;

  constructor(
    private readonly installation: Installation,
    private readonly sends: readonly Send[],
    private readonly atLeastMs: number,
  ) {}

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How much of it is sent, in words. */
  get progress(): string {
    return `${this.#sent}/${this.sends.length}`;
  }

  /** @throws when the broker takes nothing for three minutes */
  async run(): Promise<void> {
    try {
      await this.#sendAll();
    } finally {
      this.#isOver = true;
    }
  }

  async #sendAll(): Promise<void> {
    const startedMs = performance.now();
    for (let chunks = 1; this.#sent < this.sends.length; chunks += 1) {
      await this.#paused;
      await this.#send(CHUNK);
      const dueMs = startedMs + (this.atLeastMs * this.#sent) / this.sends.length;
      await sleep(Math.max(0, dueMs - performance.now()));
      if (chunks % LAG_EVERY_CHUNKS === 0) await this.#keepStep();
    }
  }

  /**
   * Resolves after so long and when more was sent than the last time, or when there is nothing more to feed: a machine that is
   * slower than the faults would only ever begin anew.
   */
  async goesOn(ms: number): Promise<void> {
    const startedMs = performance.now();
    const passed = (passedMs: number): boolean => performance.now() - startedMs >= passedMs;
    const isFed = (): boolean => this.#sent > this.#sentBefore || passed(STANDSTILL_MS);
    while (!this.#isOver && !(passed(ms) && isFed())) await sleep(OVER_POLL_MS);
    this.#sentBefore = this.#sent;
  }

  /** Stops, waits until nothing is under way, and goes on after `use`. */
  async inQuiet(use: (next: () => Promise<void>) => Promise<void>): Promise<void> {
    const pause = Promise.withResolvers<undefined>();
    this.#paused = pause.promise;
    try {
      const endMs = performance.now() + QUIET_PATIENCE_MS;
      while (!(await this.installation.isQuiet())) {
        if (performance.now() > endMs) return;
        await sleep(LAG_POLL_MS);
      }
      await use(() => this.#send(FEW));
    } finally {
      this.#paused = undefined;
      pause.resolve(undefined);
    }
  }

  async #send(count: number): Promise<void> {
    const chunk = this.sends.slice(this.#sent, this.#sent + count);
    this.#sent += chunk.length;
    await this.#sendUntilTaken(chunk);
  }

  /** A broker that was killed comes back; what was sent twice then is one delivery more. */
  async #sendUntilTaken(chunk: readonly Send[]): Promise<void> {
    const endMs = performance.now() + SEND_PATIENCE_MS;
    for (;;) {
      try {
        await this.installation.system.send(chunk);
        return;
      } catch (error) {
        if (performance.now() > endMs) throw error;
        await sleep(LAG_POLL_MS);
      }
    }
  }

  async #keepStep(): Promise<void> {
    // The broker may be away; then there is nothing to keep step with.
    const lag = (): Promise<bigint> => this.installation.lag().catch(() => MAX_LAG + 1n);
    while ((await lag()) > MAX_LAG) await sleep(LAG_POLL_MS);
  }
}
