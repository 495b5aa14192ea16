import type { PublishableEvent } from './event-store.js';

/** How far a publication came. */
export interface Publication {
  /** So many events, from the first, are acknowledged by Kafka. */
  readonly acknowledged: number;
  /** Why the next one can never be sent, such as `record_too_large`; undefined where all are acknowledged. */
  readonly refused: string | undefined;
}

/** Sends events to Kafka. */
export abstract class EventPublisher {
  /**
   * Sends the events in their order.
   * @throws RetryableError when the broker is away: any of them may or may not have been sent
   */
  abstract publish(events: readonly PublishableEvent[]): Promise<Publication>;
}
