import { EventPublisher, type PublishableEvent, type Publication } from '@v402/application';
import { TerminalError } from '@v402/domain';
import type { KafkaEventProducer } from '@v402/messaging';

/** CloudEvents in structured mode, keyed by the settlement: one partition, so one order. */
const HEADERS = { 'content-type': 'application/cloudevents+json' };

export class KafkaEventPublisher extends EventPublisher {
  constructor(private readonly producer: KafkaEventProducer) {
    super();
  }

  override async publish(events: readonly PublishableEvent[]): Promise<Publication> {
    const records = events.map(({ topic, stream, bytes }) => ({
      topic,
      key: stream,
      // A view of the same memory: copying would hold every event twice.
      value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      headers: HEADERS,
    }));
    try {
      await this.producer.send(records);
      return { acknowledged: events.length, refused: undefined };
    } catch (error) {
      const index = error instanceof TerminalError ? error.context['index'] : undefined;
      if (!(error instanceof TerminalError) || typeof index !== 'number') throw error;
      return { acknowledged: index, refused: error.code };
    }
  }
}
