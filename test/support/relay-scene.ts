import {
  NoFaults,
  PublishEventsHandler,
  type EventPublisher,
  type FaultPoint,
  type StoredEvent,
  type UnitOfWork,
} from '@v402/application';
import type { PgUnitOfWork } from '@v402/persistence';
import type pg from 'pg';
import { anEvent, sha256 } from './records.js';
import { RecordedPublisher } from './recorded-publisher.js';
import { RecordedAlarms } from './seams.js';
import { StoreScene } from './store-scene.js';

interface RelayParts {
  readonly owner?: string;
  readonly batchSize?: number;
  readonly leaseMs?: number;
  readonly faults?: FaultPoint;
  readonly unitOfWork?: UnitOfWork;
  readonly publisher?: EventPublisher;
}

/** Relays over a database of their own. A recorder stands for Kafka unless a test brings another publisher. */
export class RelayScene {
  readonly admin: pg.Client;
  readonly alarms = new RecordedAlarms();
  readonly publisher = new RecordedPublisher();
  readonly unitOfWork: PgUnitOfWork;

  private constructor(private readonly stores: StoreScene) {
    this.admin = stores.admin;
    this.unitOfWork = stores.unitOfWork;
  }

  static async open(): Promise<RelayScene> {
    return new RelayScene(await StoreScene.open({ applicationName: 'relay' }));
  }

  readonly relay = (parts: RelayParts = {}): PublishEventsHandler =>
    new PublishEventsHandler(
      parts.unitOfWork ?? this.unitOfWork,
      parts.publisher ?? this.publisher,
      { batchSize: parts.batchSize ?? 500, leaseMs: parts.leaseMs ?? 10_000 },
      parts.owner ?? 'relay-a',
      this.alarms,
      parts.faults ?? new NoFaults(),
    );

  readonly append = (...events: readonly StoredEvent[]): Promise<void> =>
    this.unitOfWork.run((tx) => tx.events.append(events));

  /** Ids of the events that are not published yet. */
  readonly waiting = async (): Promise<string[]> =>
    (await this.admin.query<{ id: string }>('SELECT event_id AS id FROM v402.outbox o ORDER BY o.id')).rows.map(
      ({ id }) => id,
    );

  close(): Promise<void> {
    return this.stores.close();
  }
}

/** Events of a stream with the given sequences. */
export const eventsOf = (
  name: string,
  sequences: readonly number[],
  topic = 'v402.settlement.events.v1',
): StoredEvent[] =>
  sequences.map((sequence) =>
    anEvent(sha256(name), { sequence, topic, bytes: Buffer.from(JSON.stringify({ name, sequence })) }),
  );

export const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);

/** Rounds until nothing is left. @returns how many events went out */
export const drain = async (handler: PublishEventsHandler): Promise<number> => {
  let published = 0;
  for (let count = await handler.handle(); count > 0; count = await handler.handle()) published += count;
  return published;
};
