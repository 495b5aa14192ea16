import type { KafkaEventProducer, OutgoingRecord } from '@v402/messaging';

/** A record with headers as any producer may write them: without a value, with bytes that are no text, more than once. */
export interface AnyRecord extends Omit<OutgoingRecord, 'headers'> {
  readonly headers: object;
}

/** Sends a record whose headers our own producer would never write. */
export async function sendAnyHeaders(producer: KafkaEventProducer, record: AnyRecord): Promise<void> {
  // kafkajs writes a null value as it should, but stumbles where it measures one that it does not use.
  const byteLength = Buffer.byteLength.bind(Buffer);
  Buffer.byteLength = (value: Parameters<typeof byteLength>[0] | null, encoding) =>
    value === null ? 0 : byteLength(value, encoding);
  try {
    await producer.send([{ ...record, headers: record.headers as Record<string, string> }]);
  } finally {
    Buffer.byteLength = byteLength;
  }
}
