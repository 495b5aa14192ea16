import { UseFilters } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import type { KafkaBatchConsumer } from './kafka-batch.js';
import { PassErrorThrough } from './pass-error-through.filter.js';
import { TOPICS, type TopicKey } from './topics.js';

export const KAFKA_BATCH_TRANSPORT = Symbol('v402-kafka-batch');

/**
 * Marks the method of a Nest controller that takes the batches of one topic: `(batch: KafkaBatch) => Promise<void>`.
 * The transport puts the configured prefix before the topic's name.
 */
export function KafkaBatchHandler(topic: TopicKey): BatchMethodDecorator {
  return (target, name, method) => {
    EventPattern(TOPICS[topic], KAFKA_BATCH_TRANSPORT)(target, name, method);
    UseFilters(PassErrorThrough)(target, name, method);
  };
}

type BatchMethodDecorator = (
  target: object,
  name: string | symbol,
  method: TypedPropertyDescriptor<KafkaBatchConsumer>,
) => void;
