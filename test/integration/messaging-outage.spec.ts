/**
 * A broker that goes away. Real: the broker, killed and started again, NestJS, kafkajs. This file has a broker of its own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { RetryableError } from '@v402/domain';
import { readTopic } from '@v402/messaging';
import { MessagingScene, numbers, range, recorder, sorted } from '../support/messaging.js';
import { until } from '../support/until.js';

let parts: LocalParts;
let scene: MessagingScene;

beforeAll(async () => {
  parts = await startLocalParts({ embedded: true, postgres: false });
  scene = new MessagingScene({ brokers: parts.kafka.brokers, clientId: 'messaging-outage-spec' });
});

afterAll(async () => {
  await scene.close();
  await parts.stop();
});

describe('a broker that is killed and comes back', () => {
  it('is waited for: consumption and sending go on by themselves, and nothing is lost', async () => {
    await scene.createTopics(3);
    const { take, records } = recorder();
    const running = await scene.consume(take);
    await scene.sendNumbers(0, 100);
    await until(() => records.length === 100);

    // A broker that has just been made may still be loading its groups, which is said, too.
    const linesBefore = running.lines.length;
    await parts.kafka.kill();
    await until(() => running.progress().state === 'waiting');
    const failed = scene.sendNumbers(100, 200);
    await expect(failed).rejects.toBeInstanceOf(RetryableError);
    await expect(failed).rejects.toMatchObject({ code: 'broker_unavailable' });
    await parts.kafka.start();

    await sendUntilAcknowledged(100, 200);
    await until(() => new Set(numbers(records)).size === 200);
    expect(running.progress()).toMatchObject({ state: 'consuming', code: null });
    for (const partition of [0, 1, 2]) {
      // What was handled but not committed when the broker died comes again: only the first time counts for the order.
      const firstTimes = [...new Set(numbers(records.filter((record) => record.partition === partition)))];
      expect(firstTimes).toEqual(sorted(firstTimes));
    }
    expect(running.lines.slice(linesBefore)).toEqual([
      'warn Kafka cannot be reached or is not ready: consumption waits and goes on by itself.',
      `info Consuming ${scene.contracts}.`,
    ]);
  });

  it('loses nothing that was acknowledged when it is killed under load', async () => {
    const { take, records } = recorder();
    const load = new MessagingScene(scene.connection);
    scene.onClose(() => load.close());
    await load.createTopics(3);
    await load.consume(take);
    const sending = (async () => {
      for (let from = 0; from < 4_000; from += 100) await sendUntilAcknowledged(from, from + 100, load);
    })();
    await until(() => records.length > 500);
    await parts.kafka.kill();
    await delay(500);
    await parts.kafka.start();
    await sending;
    await until(() => new Set(numbers(records)).size === 4_000);
    const written = await readTopic(scene.connection, load.contracts);
    expect(sorted([...new Set(numbers(written))])).toEqual(range(4_000));
  });
});

/** What the relay does: the same records again until the broker has acknowledged them. */
async function sendUntilAcknowledged(from: number, to: number, by: MessagingScene = scene): Promise<void> {
  for (;;) {
    try {
      await by.sendNumbers(from, to);
      return;
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
    }
  }
}
