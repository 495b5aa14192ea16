import { kafkaError } from './kafka-error.js';

const named = (name: string, members: object = {}): Error => Object.assign(new Error('detail'), { name, ...members });

test('a broker that is away is said with its address', () => {
  expect(kafkaError(named('KafkaJSConnectionError'), ['b1:9092', 'b2:9092'])).toMatchObject({
    kind: 'retryable',
    code: 'broker_unavailable',
    message: 'Kafka at b1:9092,b2:9092 cannot be used.',
  });
});

test('what Kafka refused is said by its own name, also from within a list of errors', () => {
  const refused = named('KafkaJSAggregateError', {
    errors: [named('KafkaJSCreateTopicError', { type: 'INVALID_REPLICATION_FACTOR' })],
  });
  expect(kafkaError(refused, ['b:1'])).toMatchObject({
    kind: 'terminal',
    code: 'kafka_refused',
    context: { refusal: 'INVALID_REPLICATION_FACTOR' },
  });
});

test('another error stays what it is', () => {
  const error = new TypeError('no');
  expect(kafkaError(error, ['b:1'])).toBe(error);
});
