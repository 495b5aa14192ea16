import { TerminalError } from '@v402/domain';
import type { EventPublisher } from '../ports/event-publisher.js';
import type { PublishableEvent } from '../ports/event-store.js';
import type { Alarms, FaultPoint } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';

export interface RelayPolicy {
  readonly batchSize: number;
  /** A relay publishes its shards this long without renewing its leases. */
  readonly leaseMs: number;
}

/**
 * Publishes what the outbox points to: at least once, lowest sequence first. An event leaves the outbox only after Kafka
 * has acknowledged it; a relay that dies in between repeats it, with the same id.
 */
export class PublishEventsHandler {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly publisher: EventPublisher,
    private readonly policy: RelayPolicy,
    /** Names this process in the leases. */
    private readonly owner: string,
    private readonly alarms: Alarms,
    private readonly faults: FaultPoint,
  ) {}

  /**
   * One round.
   * @returns how many events left the outbox; 0 when there is nothing to publish
   */
  async handle(): Promise<number> {
    const events = await this.unitOfWork.run(async (tx) => {
      const shards = await tx.events.leaseShards(this.owner, this.policy.leaseMs);
      return tx.events.unpublished(shards, this.policy.batchSize);
    });
    if (events.length === 0) return 0;
    return this.#publish(events);
  }

  /** Lets other relays take over at once. */
  async stop(): Promise<void> {
    await this.unitOfWork.run((tx) => tx.events.releaseShards(this.owner));
  }

  async #publish(events: readonly PublishableEvent[]): Promise<number> {
    try {
      await this.publisher.publish(events);
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      return this.#publishAround(events, error);
    }
    await this.faults.reach('C7');
    await this.unitOfWork.run((tx) => tx.events.markPublished(events));
    return events.length;
  }

  /**
   * One of these can never be sent. Halving finds it; its stream is parked, the others go on. The first half goes first
   * and whole, so that no event overtakes an earlier one of its stream.
   */
  async #publishAround(events: readonly PublishableEvent[], error: TerminalError): Promise<number> {
    const [only] = events;
    if (only !== undefined && events.length === 1) {
      await this.unitOfWork.run((tx) => tx.events.park(only, error.code));
      this.alarms.raise('stream_parked', 'Kafka will never take this event; its stream waits for an operator.', {
        reason: error.code,
        stream: only.stream,
        eventId: only.id,
      });
      return 0;
    }
    const middle = Math.ceil(events.length / 2);
    const first = events.slice(0, middle);
    const published = await this.#publish(first);
    const parked = await this.unitOfWork.run((tx) => tx.events.parked(first.map(({ stream }) => stream)));
    const rest = events.slice(middle).filter(({ stream }) => !parked.has(stream));
    return published + (rest.length === 0 ? 0 : await this.#publish(rest));
  }
}
