import type { MonotonicClock } from '@v402/domain';
import { keepLeases } from '../keep-leases.js';
import type { EventPublisher } from '../ports/event-publisher.js';
import type { PublishableEvent } from '../ports/event-store.js';
import type { Alarms, FaultPoint } from '../ports/seams.js';
import type { UnitOfWork } from '../ports/unit-of-work.js';
import { HeldTopics, isOfATopic } from './held-topics.js';

export interface RelayPolicy {
  readonly batchSize: number;
  /** A shard is a relay's this long, and is renewed while the relay publishes: what dies with it waits so long. */
  readonly leaseMs: number;
}

/** How long a topic that takes no events is left alone. */
const HELD_TOPIC_RETRY_MS = 5_000;
const CLOCK: MonotonicClock = { nowMs: () => performance.now() };

/**
 * Publishes what the outbox points to: at least once, lowest sequence first. An event leaves the outbox only after Kafka
 * has acknowledged it; a relay that dies in between repeats it, with the same id.
 */
export class PublishEventsHandler {
  readonly #held: HeldTopics;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly publisher: EventPublisher,
    private readonly policy: RelayPolicy,
    /** Names this process in the leases. */
    private readonly owner: string,
    private readonly alarms: Alarms,
    private readonly faults: FaultPoint,
    clock = CLOCK,
  ) {
    this.#held = new HeldTopics(HELD_TOPIC_RETRY_MS, clock, alarms);
  }

  /**
   * One round. A topic that is missing or forbidden holds up its own events alone: order is kept within a topic, and
   * between topics there is none.
   * @returns how many events left the outbox; 0 when there is nothing to publish
   * @throws RetryableError when Kafka or the database is away, and as long as nothing but what is held waits: its shards are
   * free then for a relay that may get on
   */
  async handle(): Promise<number> {
    const stuckBefore = this.#held.stuckBy;
    try {
      const published = await this.#round();
      const { stuckBy } = this.#held;
      if (stuckBefore !== undefined && stuckBy !== undefined && published === 0) throw stuckBy;
      return published;
    } catch (error) {
      await this.stop().catch(() => undefined);
      throw error;
    }
  }

  /** Lets other relays take over at once. */
  async stop(): Promise<void> {
    await this.unitOfWork.run((tx) => tx.events.releaseShards(this.owner));
  }

  async #round(): Promise<number> {
    const held = this.#held.now();
    const events = await this.unitOfWork.run(async (tx) => {
      const shards = await tx.events.leaseShards(this.owner, this.policy.leaseMs);
      return tx.events.unpublished(shards, this.policy.batchSize, held);
    });
    if (events.length === 0 && held.length === 0) this.#held.releaseAll();
    if (events.length === 0) return 0;
    const { leaseMs } = this.policy;
    const renew = (): Promise<void> => this.unitOfWork.run((tx) => tx.events.renewShards(this.owner, leaseMs));
    return keepLeases(leaseMs, renew, () => this.#publishAll(events));
  }

  async #publishAll(events: readonly PublishableEvent[]): Promise<number> {
    try {
      return await this.#publish(events);
    } catch (error) {
      if (!isOfATopic(error)) throw error;
      return this.#publishApart(events);
    }
  }

  /** Each topic by itself, to find those that fail. */
  async #publishApart(events: readonly PublishableEvent[]): Promise<number> {
    let published = 0;
    for (const [topic, some] of Map.groupBy(events, (event) => event.topic)) {
      try {
        published += await this.#publish(some);
      } catch (error) {
        if (!isOfATopic(error)) throw error;
        this.#held.hold(topic, error);
      }
    }
    return published;
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
      for (const { topic } of sent) this.#held.release(topic);
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
