import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { RetryableError, TerminalError } from '@v402/domain';
import { createLog, type Logger } from '@v402/observability';
import { InProcessWake } from './in-process-wake.js';
import { PollingLoop, type LoopOptions } from './polling-loop.js';

interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly code: unknown;
}

const lines: LogLine[] = [];

/** The real log, whose lines are kept instead of written. */
const keptLog = (): Logger => {
  const log = createLog('silent', {});
  for (const level of ['info', 'warn', 'error'] as const) {
    log[level] = (context: unknown): void => {
      const code = typeof context === 'object' && context !== null && 'code' in context ? context.code : undefined;
      lines.push({ level, code });
    };
  }
  return log;
};

/** The real one, which counts how often a loop has begun to wait: then its round is over. */
class WatchedWake extends InProcessWake {
  waits = 0;

  override wait(...args: Parameters<InProcessWake['wait']>): Promise<void> {
    this.waits += 1;
    return super.wait(...args);
  }
}

const loops: PollingLoop[] = [];
const wake = new WatchedWake();
const loop = (round: LoopOptions['round'], options: Partial<LoopOptions> = {}): PollingLoop => {
  const made = new PollingLoop({ topic: 'orders', pollMs: 60_000, round, ...options }, wake, keptLog());
  loops.push(made);
  return made;
};

beforeEach(() => {
  lines.length = 0;
  wake.waits = 0;
});
afterEach(async () => {
  await Promise.all(loops.splice(0).map((each) => each.stop()));
});

const until = async (holds: () => boolean): Promise<void> => {
  const endMs = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`Not within a minute: ${holds.toString()}`);
    await sleep(2);
  }
};

test('default: rounds follow each other as long as there is work; then it waits', async () => {
  const answers = [3, 1, 0];
  let rounds = 0;
  loop(() => Promise.resolve(answers[rounds++] ?? 0)).start();
  await until(() => wake.waits === 1);
  expect(rounds).toBe(3);
  wake.hint('orders');
  await until(() => rounds === 4);
  expect(lines).toEqual([]);
});

test('behavior: without a hint it looks again at the next poll', async () => {
  let rounds = 0;
  loop(() => Promise.resolve((rounds++, 0)), { pollMs: 5 }).start();
  await until(() => rounds >= 3);
});

test('behavior: started twice, it runs once', async () => {
  let [running, most] = [0, 0];
  let rounds = 0;
  const made = loop(async () => {
    most = Math.max(most, (running += 1));
    await turn();
    running -= 1;
    return ++rounds < 3 ? 1 : 0;
  });
  made.start();
  made.start();
  await until(() => rounds === 3);
  expect(most).toBe(1);
});

test('error: rounds that fail are tried again; each change is said once', async () => {
  const away = new RetryableError('database_unavailable', 'Away.');
  const outcomes: (Error | number)[] = [away, away, new TerminalError('data_error', 'No.'), new Error('?'), 0];
  let rounds = 0;
  loop(() => {
    const outcome = outcomes[rounds++] ?? 0;
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  }).start();
  await until(() => rounds === 5);
  await until(() => lines.length === 4);
  expect(lines).toEqual([
    { level: 'warn', code: 'database_unavailable' },
    { level: 'error', code: 'data_error' },
    { level: 'error', code: 'unexpected_error' },
    { level: 'info', code: undefined },
  ]);
});

test('error: a round that throws before its promise is there is a round that fails', async () => {
  let rounds = 0;
  loop(() => {
    rounds += 1;
    if (rounds === 1) throw new TypeError('a mistake');
    return Promise.resolve(0);
  }).start();
  await until(() => rounds === 2);
  expect(lines[0]).toEqual({ level: 'error', code: 'unexpected_error' });
});

test('behavior: stop waits for the round under way, begins no other, and gives back what is held, once', async () => {
  const [reached, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const story: string[] = [];
  const made = loop(
    async () => {
      story.push('round begins');
      reached.resolve(undefined);
      await released.promise;
      story.push('round ends');
      return 1;
    },
    { onStop: () => Promise.resolve(story.push('given back')).then(() => undefined) },
  );
  made.start();
  await reached.promise;
  const stopped = made.stop();
  released.resolve(undefined);
  await stopped;
  expect(story).toEqual(['round begins', 'round ends', 'given back']);
  loops.length = 0;
});

test('behavior: stop ends the wait for the next poll, and the pause after a failure', async () => {
  const idle = loop(() => Promise.resolve(0));
  let failures = 0;
  const failing = loop(() => {
    failures += 1;
    return Promise.reject(new Error('?'));
  });
  idle.start();
  failing.start();
  await until(() => failures === 1 && wake.waits === 1);
  const story: string[] = [];
  const stopped = Promise.all([idle, failing].map((each) => each.stop().then(() => story.push('stopped'))));
  // Whatever else waits for a timer comes after a turn of the event loop.
  await turn();
  story.push('next turn');
  await stopped;
  expect(story).toEqual(['stopped', 'stopped', 'next turn']);
  expect(failures).toBe(1);
});

test('error: what cannot be given back is said, and does not hold up the end', async () => {
  const made = loop(() => Promise.resolve(0), {
    onStop: () => Promise.reject(new RetryableError('database_unavailable', 'Away.')),
  });
  made.start();
  await made.stop();
  expect(lines).toEqual([{ level: 'warn', code: 'database_unavailable' }]);
  loops.length = 0;
});

describe('trouble', () => {
  const NEVER = { failingMs: 60_000, roundMs: 60_000 };
  const AT_ONCE = { failingMs: -1, roundMs: -1 };

  test('default: none while rounds succeed, however little there is to do', async () => {
    let rounds = 0;
    const made = loop(() => Promise.resolve((rounds++, 0)));
    expect(made.trouble(NEVER)).toBe('not_started');
    made.start();
    await until(() => wake.waits === 1);
    expect(rounds).toBe(1);
    expect(made.trouble(AT_ONCE)).toBeNull();
  });

  test('behavior: a round under way is none within its limit, and stuck beyond it', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const made = loop(() => promise);
    made.start();
    expect([made.trouble(NEVER), made.trouble(AT_ONCE)]).toEqual([null, 'round_stuck']);
    resolve(0);
    await until(() => made.trouble(AT_ONCE) === null);
  });

  test('behavior: rounds that fail for longer than the limit are told by their code, until one succeeds', async () => {
    let isAway = true;
    const away = new RetryableError('database_unavailable', 'Away.');
    let rounds = 0;
    const made = loop(() => ((rounds += 1), isAway ? Promise.reject(away) : Promise.resolve(0)));
    made.start();
    await until(() => rounds === 2);
    const limits = { failingMs: -1, roundMs: 60_000 };
    expect([made.trouble(NEVER), made.trouble(limits)]).toEqual([null, 'database_unavailable']);
    isAway = false;
    await until(() => made.trouble(limits) === null);
  });
});
