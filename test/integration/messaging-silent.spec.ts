/** A broker that takes connections and answers nothing. Real: kafkajs and a socket. */
import { KafkaEventProducer, KafkaInputLog } from '@v402/messaging';
import { SilentBroker } from '../support/silent-broker.js';

const silent = new SilentBroker();
let brokers: readonly string[];

beforeAll(async () => {
  brokers = [await silent.listen()];
});

afterAll(() => silent.close());

/** Long before kafkajs would give up, having asked again and again. */
const WITHIN_MS = 200;

test('error: what is sent counts as not acknowledged', async () => {
  const producer = new KafkaEventProducer({ brokers, clientId: 'silent' }, () => undefined, WITHIN_MS);
  await expect(producer.send([{ topic: 'events', key: 'k', value: Buffer.from('{}') }])).rejects.toMatchObject({
    kind: 'retryable',
    code: 'broker_unavailable',
    message: expect.stringContaining('in time') as string,
  });
  await producer.close();
});

test('error: where intake begins is not known', async () => {
  const log = new KafkaInputLog({ brokers, clientId: 'silent' }, () => undefined, 'group', WITHIN_MS);
  await expect(log.look('contracts', [])).rejects.toMatchObject({
    kind: 'retryable',
    code: 'broker_unavailable',
    message: expect.stringContaining('in time') as string,
    context: { topic: 'contracts' },
  });
});
