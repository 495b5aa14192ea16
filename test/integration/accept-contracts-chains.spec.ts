import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice } from '../support/back-office.js';
import { variant } from '../support/intake-scene.js';
import { DoesAt } from '../support/seams.js';

/** Several amendments of a deal in one batch. Real: PostgreSQL, signatures, the placing of orders. */
let office: BackOffice;

beforeAll(async () => {
  office = await BackOffice.open();
});
afterAll(() => office.close());

test('an amendment and its own amendment, both after the start: one transaction takes the batch in', async () => {
  const base = await office.accept({}, ['seller']);
  await office.orders(new ScriptedOrderSystem()).handle();
  const { negotiationId, agreedAt } = base.contract;
  const first = variant('first', { negotiationId, agreedAt, supersedes: base.contractId });
  const second = variant('second', { negotiationId, agreedAt, supersedes: first.contractId });
  let decided = 0;
  const faults = new DoesAt('C1', () => Promise.resolve((decided += 1)));
  const arrival = { at: agreedAt, source: 'broker' } as const;
  const batch = [first, second].map(({ envelope }) => office.scene.message(envelope, { arrival }));
  expect(await office.scene.handlerWith({ faults }).handle(batch)).toMatchObject({ accepted: 2 });
  // A batch that the database refuses is decided again in parts, each of which comes to this point.
  expect(decided).toBe(1);
  for (const each of [first, second]) {
    expect(await office.holds(each)).toMatchObject([{ reason: 'amendment_after_start', open: true }]);
  }
  expect(await office.sql('SELECT short_ref FROM v402.settlement WHERE current')).toEqual([
    { short_ref: second.shortRef },
  ]);
});
