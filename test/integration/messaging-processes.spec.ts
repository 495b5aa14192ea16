/**
 * Processes of one group. Real: the broker, NestJS, kafkajs, a process that dies. Each test has topics and a group of its own.
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaBatch } from '@v402/messaging';
import { committed, MessagingScene, numbers, range, recorder, sorted, testConnection } from '../support/messaging.js';
import { until } from '../support/until.js';

/** A session that no test outlives: whoever waited for its end would wait in vain. */
const NEVER_MS = 600_000;
let scene: MessagingScene;

beforeEach(() => {
  scene = new MessagingScene(testConnection('messaging-spec'));
});

afterEach(async () => {
  await scene.close();
});

describe('processes that come and go', () => {
  /** A process that has committed five of twenty records, and dies while it handles the next five. */
  const diesInTheMiddle = async (sessionMs: number): Promise<void> => {
    await scene.createTopics(1);
    await scene.sendNumbers(0, 20);
    const child = spawn(process.execPath, [new URL('./messaging-crash.child.mjs', import.meta.url).pathname], {
      env: {
        ...process.env,
        TOPIC_PREFIX: scene.prefix,
        GROUP: `${scene.prefix}group`,
        SESSION_MS: String(sessionMs),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    scene.onClose(async () => {
      child.kill('SIGKILL');
      await gone;
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    await until(() => output.includes('handling 5..9'));
    child.kill('SIGKILL');
    await gone;
  };

  it('delivers again what a killed process had not committed', async () => {
    await diesInTheMiddle(2_000);
    const { take, records } = recorder();
    await scene.consume(take);
    await until(() => records.length >= 15);
    expect(numbers(records)).toEqual(range(20).slice(5));
  });

  it('goes on at once when a killed process starts again under its name, however long its session', async () => {
    await diesInTheMiddle(NEVER_MS);
    const { take, records } = recorder();
    await scene.consume(take, { sessionTimeoutMs: NEVER_MS, rebalanceTimeoutMs: NEVER_MS }, 'crash-child');
    await until(() => records.length >= 15);
    expect(numbers(records)).toEqual(range(20).slice(5));
  });

  it('leaves both of two live processes of one name their work', async () => {
    await scene.createTopics(4);
    const handled = [recorder(), recorder()];
    const settings = { sessionTimeoutMs: NEVER_MS };
    const first = await scene.consume(handled[0]!.take, settings);
    await until(() => first.progress().assigned.length === 4);
    const second = await scene.consume(handled[1]!.take, settings);
    const isShared = (): boolean => [first, second].every((each) => each.progress().assigned.length === 2);
    await until(isShared);
    // While the group is still settling, one of them may have all partitions for a moment more.
    let sent = 0;
    while (!handled.every(({ records }) => records.length > 0)) {
      expect(sent).toBeLessThan(10_000);
      await scene.sendNumbers(sent, sent + 100);
      sent += 100;
      await until(() => new Set(handled.flatMap(({ records }) => numbers(records))).size === sent);
    }
    await until(isShared);
  });

  it('loses nothing when a second consumer joins and one leaves', async () => {
    await scene.createTopics(4);
    const handled: number[] = [];
    const slowly = async ({ messages }: KafkaBatch): Promise<void> => {
      await delay(5);
      handled.push(...numbers(messages));
    };
    const chunk = { maxMessages: 20, maxBytes: 1_000_000 };
    const first = await scene.consume(slowly, { chunk });
    const total = 3_000;
    const sending = (async () => {
      for (let from = 0; from < total; from += 100) {
        await scene.sendNumbers(from, from + 100);
        await delay(50);
      }
    })();
    await until(() => handled.length > 200);
    const second = await scene.consume(slowly, { chunk });
    await until(() => second.progress().assigned.length === 2 && first.progress().assigned.length === 2);
    await first.close();
    await until(() => second.progress().assigned.length === 4);
    await sending;
    // The second one tells where a partition ends once it has handled something of it: the first may have handled all else.
    await scene.sendNumbers(total, total + 100);
    await until(() => new Set(handled).size === total + 100);
    await until(() => committed(second) === BigInt(total + 100));
  });

  it('stays in the group while a handler runs for twice the session', async () => {
    // Longer than a busy machine stops a process for: then its heartbeats do not come, whatever the handler does.
    const sessionTimeoutMs = 8_000;
    await scene.createTopics(2);
    const calls: number[] = [];
    const running = await scene.consume(
      async ({ messages }) => {
        calls.push(...numbers(messages));
        if (calls.length === 1) await delay(2 * sessionTimeoutMs);
      },
      { sessionTimeoutMs, chunk: { maxMessages: 1, maxBytes: 1_000 } },
    );
    await scene.sendNumbers(0, 2);
    await until(() => calls.length >= 2);
    await until(() => committed(running) === 2n);
    // Had the member been put out, its commit would have failed and the first record would have come again.
    expect(sorted(calls)).toEqual([0, 1]);
    expect(running.lines).toEqual([`info Consuming ${scene.contracts}.`]);
  });

  it('commits what was handled when it is closed in the middle of a batch', async () => {
    await scene.createTopics(1);
    await scene.sendNumbers(0, 10);
    const first = recorder();
    const before = await scene.consume(
      async (batch) => {
        await delay(200);
        await first.take(batch);
      },
      { chunk: { maxMessages: 2, maxBytes: 1_000 } },
    );
    await until(() => first.records.length >= 4);
    await before.close();
    expect(before.progress().state).toBe('closed');
    const second = recorder();
    await scene.consume(second.take);
    await until(() => first.records.length + second.records.length >= 10);
    expect([...numbers(first.records), ...numbers(second.records)]).toEqual(range(10));
    expect(second.records.length).toBeGreaterThan(0);
  });
});
