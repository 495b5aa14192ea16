import type { PublishableEvent } from './event-store.js';

/** Sends events to Kafka. */
export abstract class EventPublisher {
  /**
   * Returns once Kafka has acknowledged all of them, in their order per stream. After a failure any of them may have
   * been sent.
   *
   * @throws RetryableError when the broker is away
   * @throws TerminalError when one of them can never be sent, such as `record_too_large`
   */
  abstract publish(events: readonly PublishableEvent[]): Promise<void>;
}
