import { PgReconciliationBooks } from '@v402/persistence';
import { insertSettlement, MOMENT } from '../support/records.js';
import { StoreScene } from '../support/store-scene.js';

/** Real: PostgreSQL, read as the role of the services. */
const LATER = MOMENT + 1_000_000_000n;
const AHEAD = 5_000;

let scene: StoreScene;

beforeAll(async () => {
  scene = await StoreScene.open();
  await scene.run(async (tx) => {
    const contractId = await insertSettlement(tx, 'read', { state: 'ordered' });
    const of = { contractId, side: 'seller' as const };
    await tx.work.add([
      { ...of, kind: 'delivery', subjectId: 'd', dueAt: MOMENT + 3n },
      { ...of, kind: 'order', subjectId: '', dueAt: MOMENT + 2n },
      { ...of, kind: 'payment_leg', subjectId: 'first', dueAt: MOMENT + 1n },
      { ...of, kind: 'payment_leg', subjectId: 'last', dueAt: MOMENT + 4n },
      ...Array.from({ length: AHEAD }, (_, index) => ({
        ...of,
        kind: 'payment_leg' as const,
        subjectId: String(index),
        dueAt: LATER + BigInt(index),
      })),
    ]);
  });
  await scene.admin.query('ANALYZE v402.work');
});

afterAll(() => scene.close());

async function overdue(limit: number): Promise<readonly string[]> {
  const books = new PgReconciliationBooks({ url: scene.database.appUrl, applicationName: 'books under test' });
  try {
    return (await books.overdueWork(LATER, limit)).map(({ reason }) => reason);
  } finally {
    await books.close();
  }
}

test('default: overdue work comes in the order in which it was due, of whatever kind', async () => {
  const all = ['payment_leg seller first', 'order seller', 'delivery seller d', 'payment_leg seller last'];
  expect(await overdue(10)).toEqual(all);
  expect(await overdue(3)).toEqual(all.slice(0, 3));
});

test('behavior: work that is due later is not even looked at', async () => {
  // A backend tells what it has read when it ends.
  const ended = async (): Promise<void> => {
    const backends = "SELECT FROM pg_stat_activity WHERE application_name = 'books under test'";
    while ((await scene.rowsOf(backends)).length > 0);
  };
  const read = async (): Promise<number> => {
    const [row] = await scene.rowsOf(
      "SELECT (seq_tup_read + idx_tup_fetch)::int AS rows FROM pg_stat_user_tables WHERE relname = 'work'",
    );
    return (row as { rows: number }).rows;
  };
  await ended();
  await scene.admin.query('SELECT pg_stat_force_next_flush()');
  const before = await read();
  await overdue(10);
  await ended();
  const rows = (await read()) - before;
  expect(rows).toBeGreaterThan(0);
  expect(rows).toBeLessThan(AHEAD);
});
