import { RetryableError } from '@v402/domain';
import { EventPublisher, type Publication } from '../ports/event-publisher.js';
import type { EventStore, PublishableEvent } from '../ports/event-store.js';
import { Alarms, NoFaults } from '../ports/seams.js';
import { UnitOfWork, type Transaction } from '../ports/unit-of-work.js';
import { PublishEventsHandler } from './publish-events.handler.js';

const eventOf = (place: number, stream: string): PublishableEvent => ({
  place: BigInt(place),
  id: `${stream}-${place}`,
  type: 'org.v402.settlement.accepted.v1',
  stream,
  topic: 'events',
  sequence: place,
  occurredAt: 0n,
  bytes: new Uint8Array(),
});

/** An outbox in memory; says what was done to it, in that order. */
class MemoryOutbox extends UnitOfWork {
  readonly log: string[] = [];

  constructor(private readonly outbox: readonly PublishableEvent[]) {
    super();
  }

  override run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const note = (line: string): Promise<void> => {
      this.log.push(line);
      return Promise.resolve();
    };
    const events: Partial<EventStore> = {
      leaseShards: async (owner, leaseMs) => {
        await note(`lease ${owner} ${leaseMs}`);
        return [3, 4];
      },
      releaseShards: (owner) => note(`release ${owner}`),
      unpublished: async (shards, limit, except = []) => {
        await note(`read ${[shards.join(), limit, ...except].join(' ')}`);
        return this.outbox.filter(({ topic }) => !except.includes(topic));
      },
      markPublished: (marked) => note(`mark ${marked.map(({ id }) => id).join()}`),
      park: ({ id }, code) => note(`park ${id} ${code}`),
    };
    return work({ events } as Transaction);
  }
}

class ScriptedPublisher extends EventPublisher {
  constructor(
    private readonly log: string[],
    private readonly refused: ReadonlySet<string>,
    private readonly away = false,
  ) {
    super();
  }

  override publish(events: readonly PublishableEvent[]): Promise<Publication> {
    this.log.push(`publish ${events.map(({ id }) => id).join()}`);
    if (this.away) return Promise.reject(new RetryableError('broker_unavailable', 'Kafka is away.'));
    const first = events.findIndex(({ id }) => this.refused.has(id));
    return Promise.resolve(
      first === -1
        ? { acknowledged: events.length, refused: undefined }
        : { acknowledged: first, refused: 'record_too_large' },
    );
  }
}

class RecordedAlarms extends Alarms {
  readonly events: unknown[] = [];

  override raise(code: string, _message: string, context: Readonly<Record<string, string | number>>): void {
    this.events.push(`${code} ${context['eventId'] ?? ''}`);
  }
}

const round = (
  outbox: readonly PublishableEvent[],
  { refused = [], away = false }: { refused?: readonly string[]; away?: boolean } = {},
): { handler: PublishEventsHandler; log: string[]; alarms: unknown[] } => {
  const unitOfWork = new MemoryOutbox(outbox);
  const publisher = new ScriptedPublisher(unitOfWork.log, new Set(refused), away);
  const alarms = new RecordedAlarms();
  const policy = { batchSize: 10, leaseMs: 500 };
  const handler = new PublishEventsHandler(unitOfWork, publisher, policy, 'me', alarms, new NoFaults());
  return { handler, log: unitOfWork.log, alarms: alarms.events };
};

const READ = ['lease me 500', 'read 3,4 10'];

test('reads its own shards, publishes in the order read, and marks after the acknowledgement', async () => {
  const { handler, log } = round([eventOf(1, 'a'), eventOf(2, 'b'), eventOf(3, 'a')]);
  expect(await handler.handle()).toBe(3);
  expect(log).toEqual([...READ, 'publish a-1,b-2,a-3', 'mark a-1,b-2,a-3']);
});

test('renews its lease even where nothing is to be published', async () => {
  const { handler, log } = round([]);
  expect(await handler.handle()).toBe(0);
  expect(log).toEqual(READ);
});

test('marks nothing when the broker is away, and frees its shards for a relay that may reach it', async () => {
  const { handler, log, alarms } = round([eventOf(1, 'a')], { away: true });
  await expect(handler.handle()).rejects.toMatchObject({ kind: 'retryable', code: 'broker_unavailable' });
  expect([log, alarms]).toEqual([[...READ, 'publish a-1', 'release me'], []]);
});

test('parks the stream of an event that is refused, and goes on without that stream', async () => {
  const outbox = [eventOf(1, 'a'), eventOf(2, 'b'), eventOf(3, 'a'), eventOf(4, 'c'), eventOf(5, 'b'), eventOf(6, 'a')];
  const { handler, log, alarms } = round(outbox, { refused: ['a-3'] });
  expect(await handler.handle()).toBe(4);
  expect(log).toEqual([
    ...READ,
    'publish a-1,b-2,a-3,c-4,b-5,a-6',
    'mark a-1,b-2',
    'park a-3 record_too_large',
    'publish c-4,b-5',
    'mark c-4,b-5',
  ]);
  expect(alarms).toEqual(['stream_parked a-3']);
});

test('parks every stream that meets one, also the first and the last event', async () => {
  const { handler, log, alarms } = round([eventOf(1, 'a'), eventOf(2, 'b'), eventOf(3, 'c')], {
    refused: ['a-1', 'c-3'],
  });
  expect(await handler.handle()).toBe(1);
  expect(log.filter((line) => line.startsWith('park'))).toEqual([
    'park a-1 record_too_large',
    'park c-3 record_too_large',
  ]);
  expect(alarms).toEqual(['stream_parked a-1', 'stream_parked c-3']);
});

test('gives its shards back when it stops', async () => {
  const { handler, log } = round([]);
  await handler.stop();
  expect(log).toEqual(['release me']);
});
