import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice } from '../support/back-office.js';
import { RecordedAlarms } from '../support/seams.js';

/** Real: PostgreSQL, intake. The order system is one in memory. One order of a batch fails, and the others go on. */
let office: BackOffice;
let scripted: ScriptedOrderSystem;

beforeAll(async () => {
  office = await BackOffice.open();
});

beforeEach(async () => {
  scripted = new ScriptedOrderSystem();
  await office.dropWork();
});

afterAll(async () => {
  await office.close();
});

test('a settlement whose contract cannot be read holds up none of its batch', async () => {
  const accepted = await office.acceptAll([{}, {}, {}, {}, {}], ['seller']);
  const [broken, ...others] = accepted;
  const id = Buffer.from(broken!.contractId, 'hex');
  const [{ canonical }] = (await office.sql('SELECT canonical FROM v402.settlement WHERE contract_id = $1', id)) as [
    { canonical: Buffer },
  ];
  const write = (bytes: Buffer): Promise<unknown> =>
    office.sql('UPDATE v402.settlement SET canonical = $2 WHERE contract_id = $1', id, bytes);
  await write(canonical.subarray(1));
  const alarms = new RecordedAlarms();
  const handler = office.orders(scripted, { alarms });
  expect(await handler.handle()).toBe(5);
  expect((await Promise.all(others.map((each) => office.placement(each)))).map(({ state }) => state)).toEqual(
    Array(4).fill('created'),
  );
  expect(await office.placement(broken!)).toMatchObject({ state: 'waiting', attempt: 0 });
  expect(alarms.take()).toEqual([
    {
      code: 'settlement_not_readable',
      context: { contractId: broken!.contractId, side: 'seller', reason: 'contract_unreadable' },
    },
  ]);
  expect(await handler.handle()).toBe(0);

  await write(canonical);
  await office.makeDue();
  expect(await handler.handle()).toBe(1);
  expect(await office.placement(broken!)).toMatchObject({ state: 'created', attempt: 1 });
});

test('an outcome that cannot be written is said, keeps none of its batch from being recorded, and is looked up', async () => {
  const accepted = await office.acceptAll([{}, {}, {}, {}], ['seller']);
  let broken: string | undefined;
  scripted.script.create = (draft) => {
    const { orderNumber } = scripted.put(draft);
    // The first outcome is recorded by itself, the others together: this one is among them.
    if (scripted.creates.length === 2) broken = draft.contractId;
    const answered = draft.contractId === broken ? `${orderNumber}\0` : orderNumber;
    return Promise.resolve({ outcome: 'created', order: { orderNumber: answered } });
  };
  const alarms = new RecordedAlarms();
  const handler = office.orders(scripted, { alarms });
  expect(await handler.handle()).toBe(4);
  const states = async (): Promise<string[]> =>
    (await Promise.all(accepted.map((each) => office.placement(each)))).map(({ state }) => state).sort();
  expect(await states()).toEqual(['created', 'created', 'created', 'placing']);
  expect(alarms.take()).toEqual([
    { code: 'outcome_not_recordable', context: { contractId: broken, side: 'seller', reason: 'data_error' } },
  ]);

  await office.makeDue();
  await handler.handle(); // finds the intent
  await office.makeDue();
  await handler.handle(); // finds the order, by a number that can be written
  expect(await states()).toEqual(['created', 'created', 'created', 'created']);
  expect(scripted.orders).toHaveLength(4);
  expect(alarms.take()).toEqual([]);
});
