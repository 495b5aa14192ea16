import { setTimeout as sleep } from 'node:timers/promises';
import type { Alarms, Backlog, UnitOfWork } from '@v402/application';
import type { Logger } from '@v402/observability';

/** The longest pause after a batch, when the backlog is just below its limit. */
const SLOWEST_MS = 1_000;
/** Share of the limit from which on intake slows down, and at which it goes on after a pause. */
const SLOW_FROM = 0.5;

/**
 * Keeps intake from running away from the rest: it slows down from half the limit on, stops over the limit, and goes on
 * at half of it. What waits then waits in Kafka, where it costs no memory.
 */
export class BacklogGate {
  #backlog: Backlog = { work: 0, events: 0 };
  #isOpen = true;
  readonly #ending = new AbortController();

  constructor(
    private readonly limit: number,
    private readonly unitOfWork: UnitOfWork,
    private readonly alarms: Alarms,
    private readonly log: Logger,
  ) {}

  /** One round: looks how much waits. @returns 0: there is never more to do at once */
  async look(): Promise<number> {
    this.seen(await this.unitOfWork.run((tx) => tx.backlog.size(this.limit)));
    return 0;
  }

  seen(backlog: Backlog): void {
    this.#backlog = backlog;
    const context = { ...backlog, limit: this.limit };
    if (this.#isOpen && this.#fill() > 1) {
      this.#isOpen = false;
      const message = 'More waits than V402_BACKLOG_LIMIT: intake waits until half of it is done.';
      this.alarms.raise('backlog_over_limit', message, context);
    } else if (!this.#isOpen && this.#fill() <= SLOW_FROM) {
      this.#isOpen = true;
      this.log.info(context, 'The backlog is down to half of its limit: intake goes on.');
    }
  }

  /** Adds what a batch has made at the least, so that no more than the batches under way get past the limit between two looks. */
  took({ accepted, rejected }: { readonly accepted: number; readonly rejected: number }): void {
    const { work, events } = this.#backlog;
    this.seen({ work: work + accepted, events: events + accepted + rejected });
  }

  /** Whether a batch may be handed on now. */
  isOpen(): boolean {
    return this.#isOpen;
  }

  /** How long to wait after a batch: nothing below half the limit, then the longer the fuller. */
  slowDownMs(): number {
    const above = (this.#fill() - SLOW_FROM) / (1 - SLOW_FROM);
    return Math.round(SLOWEST_MS * Math.min(1, Math.max(0, above)));
  }

  async slowDown(): Promise<void> {
    const ms = this.slowDownMs();
    if (ms > 0) await sleep(ms, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  #fill(): number {
    return Math.max(this.#backlog.work, this.#backlog.events) / this.limit;
  }

  /** Nobody waits any more. */
  end(): void {
    this.#ending.abort();
  }
}
