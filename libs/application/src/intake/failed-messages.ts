import { TerminalError } from '@v402/domain';
import { isLocked } from '../apart.js';
import { coordinatesKey } from '../ports/evidence-store.js';
import type { InboundMessage } from './inbound-message.js';

/** How often a message may fail for a reason that nobody foresaw before it is parked. */
const MAX_FAILURES = 5;
/**
 * The same where its rows are locked by somebody else: locks end, be it with the session that keeps them, and each time was
 * waited for. With the pauses between them these are some minutes.
 */
const MAX_LOCKED = 15;
/**
 * The same where one message was parked and none has been decided since: then it is hardly the message. A fault of ours or
 * of the database as a whole parks few, each of which a person would have to redrive, and yet nothing waits for ever.
 */
const MAX_IN_A_ROW = 60;

/** How often the messages under way have failed: whether one is to be tried again or to be parked. */
export class FailedMessages {
  readonly #failures = new Map<string, number>();
  readonly #parked = new Set<string>();
  #isNothingDecided = false;

  /** Counts a failure. A value that the database refuses is enough at once; a failure that may pass is so after some times. */
  isEnough({ coordinates }: InboundMessage, error: unknown): boolean {
    if (error instanceof TerminalError) return true;
    const key = coordinatesKey(coordinates);
    // It was parked, and its batch comes again because of another one: it waits no second time.
    if (this.#parked.has(key)) return true;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    if (failures < this.#most(error)) return false;
    this.#parked.add(key);
    if (!isLocked(error)) this.#isNothingDecided = true;
    return true;
  }

  decided(): void {
    this.#isNothingDecided = false;
  }

  /** These will not come again, unless their offsets were not committed. */
  forget(messages: readonly InboundMessage[]): void {
    for (const { coordinates } of messages) {
      const key = coordinatesKey(coordinates);
      this.#failures.delete(key);
      this.#parked.delete(key);
    }
  }

  #most(error: unknown): number {
    if (isLocked(error)) return MAX_LOCKED;
    return this.#isNothingDecided ? MAX_IN_A_ROW : MAX_FAILURES;
  }
}
