import { CATALOGUE, encodeEvent, eventId, type DataOf, type EventType, type TopicKey } from '@v402/events';
import { instantOfMicros, type ContractId, type Micros, type Side } from '@v402/domain';
import type { StoredEvent } from '../ports/event-store.js';
import type { StreamPosition } from '../ports/settlement-store.js';

/** Where a settlement's events come from and under which Kafka topics they go out. */
export interface EventNaming {
  /** CloudEvents `source`: `urn:v402:handler:<instanceId>`. */
  readonly source: string;
  readonly topics: Readonly<Record<TopicKey, string>>;
}

export interface StreamOwner {
  readonly contractId: ContractId;
  readonly negotiationId: string;
  readonly traceparent: string | undefined;
  readonly position: StreamPosition;
}

/** What an event is about: whose row, which one, and how often it has entered this state. */
export interface EventSubject {
  readonly side?: Side;
  readonly subjectId: string;
  readonly n: number;
  /** The id of the event that caused this one, if one did. */
  readonly causedBy?: string;
}

type Counted = 'settlement' | 'payments' | 'deliveries';

const isCounted = (topic: TopicKey): topic is Counted => topic !== 'rejections';

/**
 * Gives the events of one settlement their sequence and time, under its lock: per topic from 1 without gaps, times
 * strictly increasing by the database's clock.
 */
export class SettlementStream {
  readonly events: StoredEvent[] = [];
  #position: StreamPosition;

  constructor(
    private readonly naming: EventNaming,
    private readonly owner: StreamOwner,
    /** The database's clock, read after the settlement was locked. */
    private readonly now: Micros,
  ) {
    this.#position = owner.position;
  }

  get position(): StreamPosition {
    return this.#position;
  }

  /** @returns when the event occurs */
  append<T extends EventType>(type: T, subject: EventSubject, data: DataOf<T>): Micros {
    const { topic } = CATALOGUE[type];
    const occurredAt = this.#advance(topic);
    const sequence = isCounted(topic) ? this.#position[topic] : undefined;
    const { id, bytes } = encodeEvent(
      type,
      {
        source: this.naming.source,
        subject: this.owner.contractId,
        side: subject.side,
        subjectId: subject.subjectId,
        n: subject.n,
        causationId: subject.causedBy,
        time: instantOfMicros(occurredAt),
        sequence,
        traceparent: this.owner.traceparent,
        correlationId: this.owner.negotiationId,
      },
      data,
    );
    const stream = this.owner.contractId;
    this.events.push({ id, type, stream, topic: this.naming.topics[topic], sequence, occurredAt, bytes });
    return occurredAt;
  }

  /** The id that an event of this settlement has, had or will have: what it caused refers to it. */
  idOf(type: EventType, { side, subjectId, n }: EventSubject): string {
    return eventId(this.naming.source, this.owner.contractId, side, type, subjectId, n);
  }

  #advance(topic: TopicKey): Micros {
    const { lastEventAt } = this.#position;
    const occurredAt = lastEventAt !== undefined && lastEventAt >= this.now ? lastEventAt + 1n : this.now;
    this.#position = {
      ...this.#position,
      ...(isCounted(topic) && { [topic]: this.#position[topic] + 1 }),
      lastEventAt: occurredAt,
    };
    return occurredAt;
  }
}
