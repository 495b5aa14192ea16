import { RetryableError, TerminalError } from '@v402/domain';
import { FailingPartitions } from './failing-partitions.js';

const away = new RetryableError('database_unavailable', 'The database is away.');

function tracked(): { failing: FailingPartitions; lines: string[] } {
  const lines: string[] = [];
  const log = (level: string, message: string): void => void lines.push(`${level} ${message}`);
  return { failing: new FailingPartitions({ firstMs: 100, maxMs: 800 }, log), lines };
}

describe('FailingPartitions', () => {
  it('waits longer with each failure in a row, up to the cap, and starts anew after a success', () => {
    const { failing } = tracked();
    const waits = Array.from({ length: 6 }, () => failing.failed('t', 0, away));
    expect(waits[0]).toBeLessThanOrEqual(100);
    expect(waits[5]).toBeGreaterThanOrEqual(400);
    expect(Math.max(...waits)).toBeLessThanOrEqual(800);
    failing.succeeded('t', 0);
    expect(failing.failed('t', 0, away)).toBeLessThanOrEqual(100);
  });

  it('says a cause once, however many partitions and attempts, and once that it is over', () => {
    const { failing, lines } = tracked();
    for (const partition of [0, 1, 0, 1]) failing.failed('t', partition, away);
    failing.succeeded('t', 0);
    expect(lines).toHaveLength(1);
    failing.succeeded('t', 1);
    expect(lines).toEqual([
      'warn A batch of t could not be handled (database_unavailable): it is tried again by itself.',
      'info Batches of t are handled again (after database_unavailable).',
    ]);
  });

  it('keeps the code and kind of the error, and names one without a code', () => {
    const { failing } = tracked();
    failing.failed('t', 0, new TerminalError('registry_invalid', 'The registry cannot be read.'));
    failing.failed('t', 1, new TypeError('x is not a function'));
    expect(failing.snapshot()).toMatchObject([
      {
        topic: 't',
        partition: 0,
        code: 'registry_invalid',
        kind: 'terminal',
        attempts: 1,
      },
      {
        topic: 't',
        partition: 1,
        code: 'handler_failed',
        kind: 'retryable',
        attempts: 1,
      },
    ]);
  });

  it('waits the longest after a terminal error', () => {
    const { failing } = tracked();
    expect(failing.failed('t', 0, new TerminalError('registry_invalid', 'The registry cannot be read.'))).toBe(800);
  });

  it('forgets partitions that moved to another member', () => {
    const { failing } = tracked();
    failing.failed('t', 0, away);
    failing.failed('t', 1, away);
    failing.keepOnly((_topic, partition) => partition === 1);
    expect(failing.snapshot().map(({ partition }) => partition)).toEqual([1]);
  });
});
