import { startLocalParts, type LocalParts } from '@v402/local-parts';
import { CELLS, run, type RunOptions, type RunResult } from '@v402/fault-harness';

// A run ends by itself once nothing more comes to pass; on a busy machine that may take a while.
import.meta.jest.setTimeout(600_000);

/**
 * A short run of the fault harness with a fixed seed. Real: Kafka and PostgreSQL of its own, which it kills; two processes
 * of each role. The long ones are in docs/fault-tests.md.
 */
let parts: LocalParts;

beforeAll(async () => {
  parts = await startLocalParts({ embedded: true, fsync: false });
});
afterAll(() => parts.stop());

const result = (options: Partial<RunOptions>): Promise<RunResult> =>
  run(parts, {
    seed: 402,
    contracts: 150,
    cells: [],
    orderSystem: 'desk',
    processes: 2,
    atLeastMs: 0,
    without: undefined,
    say: () => undefined,
    ...options,
  });

test('nothing is lost and nothing happens twice, whatever strikes', async () => {
  const { violations, faults, settlements, orders } = await result({ cells: CELLS, atLeastMs: 40_000 });
  expect(violations).toEqual([]);
  // How many there is time for is the machine's to say.
  expect(faults.filter(({ struck }) => struck).length).toBeGreaterThan(0);
  expect(settlements).toBeGreaterThan(100);
  expect(orders).toBeGreaterThan(80);
});

test('control: without the order of the outbox, the oracle sees a sequence go backwards', async () => {
  const { violations } = await result({ contracts: 80, without: 'relay_order', patienceMs: 20_000 });
  expect(violations.map(({ check }) => check)).toContain('event_order');
});

test('control: with the intent in memory only, a kill makes the oracle see an order twice', async () => {
  const cells = CELLS.filter(({ place, kind }) => place === 'C5' && kind === 'kill');
  const { violations } = await result({ cells, without: 'intent_before_call', atLeastMs: 12_000, patienceMs: 20_000 });
  expect(violations.map(({ check }) => check)).toContain('order');
});
