import { EventPublisher, type PublishableEvent, type Publication } from '@v402/application';

export interface SentEvent {
  readonly id: string;
  readonly stream: string;
  readonly topic: string;
  readonly sequence: number | undefined;
  readonly bytes: string;
}

/** Stands for Kafka: takes every event, in the order in which the calls came. */
export class RecordedPublisher extends EventPublisher {
  readonly sent: SentEvent[] = [];
  /** Runs before anything of a call is taken. */
  before: () => Promise<void> = () => Promise.resolve();
  /** Ids of events that can never be taken. */
  readonly refused = new Set<string>();

  override async publish(events: readonly PublishableEvent[]): Promise<Publication> {
    await this.before();
    const first = events.findIndex(({ id }) => this.refused.has(id));
    const taken = first === -1 ? events : events.slice(0, first);
    this.sent.push(
      ...taken.map(({ id, stream, topic, sequence, bytes }) => ({
        id,
        stream,
        topic,
        sequence,
        bytes: Buffer.from(bytes).toString('utf8'),
      })),
    );
    return { acknowledged: taken.length, refused: first === -1 ? undefined : 'record_too_large' };
  }
}

/**
 * What a consumer would complain about: within a stream and topic the first publications have to come by sequence, from 1
 * without a gap, and what comes again has to be what came before, byte for byte.
 */
export function complaintsOf(sent: readonly SentEvent[]): string[] {
  const last = new Map<string, number>();
  const bytesOf = new Map<string, string>();
  const complaints: string[] = [];
  for (const { id, stream, topic, sequence = 0, bytes } of sent) {
    const place = `${topic} ${stream.slice(0, 8)}`;
    const earlier = bytesOf.get(id);
    if (earlier !== undefined) {
      if (earlier !== bytes) complaints.push(`${place}: ${sequence} came again with other bytes`);
      continue;
    }
    bytesOf.set(id, bytes);
    const expected = (last.get(place) ?? 0) + 1;
    if (sequence !== expected) complaints.push(`${place}: ${sequence} came where ${expected} was due`);
    last.set(place, Math.max(sequence, last.get(place) ?? 0));
  }
  return complaints;
}
