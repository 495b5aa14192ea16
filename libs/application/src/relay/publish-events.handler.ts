import { keepLeases } from '../keep-leases.js';
import type { EventPublisher } from '../ports/event-publisher.js';
import type { PublishableEvent } from '../ports/event-store.js';
import type { Alarms, FaultPoint } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';

export interface RelayPolicy {
  readonly batchSize: number;
  /** A shard is a relay's this long, and is renewed while the relay publishes: what dies with it waits so long. */
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
    const { leaseMs } = this.policy;
    const renew = (): Promise<void> => this.unitOfWork.run((tx) => tx.events.renewShards(this.owner, leaseMs));
    return keepLeases(leaseMs, renew, () => this.#publish(events));
  }

  /** Lets other relays take over at once. */
  async stop(): Promise<void> {
    await this.unitOfWork.run((tx) => tx.events.releaseShards(this.owner));
  }

  /** An event that can never be sent stops its own stream; the others go on. */
  async #publish(events: readonly PublishableEvent[]): Promise<number> {
    let published = 0;
    let rest = events;
    while (rest.length > 0) {
      const { acknowledged, refused } = await this.publisher.publish(rest);
      await this.faults.reach('C7');
      const stopped = refused === undefined ? undefined : rest[acknowledged];
      const sent = rest.slice(0, acknowledged);
      await this.unitOfWork.run(async (tx) => {
        await tx.events.markPublished(sent);
        if (stopped !== undefined && refused !== undefined) await tx.events.park(stopped, refused);
      });
      published += acknowledged;
      if (stopped === undefined) break;
      this.alarms.raise('stream_parked', 'Kafka will never take this event; its stream waits for an operator.', {
        reason: refused ?? '',
        stream: stopped.stream,
        eventId: stopped.id,
      });
      rest = rest.slice(acknowledged + 1).filter(({ stream }) => stream !== stopped.stream);
    }
    return published;
  }
}
