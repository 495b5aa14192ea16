import { SweepHandler } from '@v402/application';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice, DELIVERY_LEAD_DAYS } from '../support/back-office.js';
import { agreed, type AgreedTrade } from '../support/intake-scene.js';
import { RecordedAlarms, RecordedWake } from '../support/seams.js';

/** What calls a person to a deal that is held, and to a case that was left. Real: PostgreSQL, intake and orders. */
let office: BackOffice;

beforeEach(async () => {
  office = await BackOffice.open();
});
afterEach(() => office.close());

const HOUR_MS = 3_600_000;
const charges = [{ type: 'freight', amount: '5.00' }] as const;

const amend = ({ contract, contractId }: AgreedTrade): Promise<AgreedTrade> =>
  office.accept({ negotiationId: contract.negotiationId, supersedes: contractId, charges }, ['seller']);

const started = async (): Promise<AgreedTrade> => {
  const base = await office.accept({}, ['seller']);
  await office.orders(new ScriptedOrderSystem()).handle();
  return base;
};

describe('intake says that it holds a deal', () => {
  test('behavior: for a second contract, once; what comes again says nothing', async () => {
    const { scene } = office;
    const first = agreed({ negotiationId: 'twice' });
    const second = agreed({ negotiationId: 'twice', charges });
    await scene.handle(first.envelope);
    expect(scene.alarms.take()).toEqual([]);
    await scene.handle(second.envelope);
    expect(scene.alarms.take()).toEqual([
      { code: 'deal_held', context: { contractId: first.contractId, reason: 'equivocation' } },
    ]);
    await scene.handle(second.envelope);
    expect(scene.alarms.take()).toEqual([]);
  });

  test('for an amendment of what has started', async () => {
    const amendment = await amend(await started());
    expect(office.scene.alarms.take()).toEqual([
      { code: 'deal_held', context: { contractId: amendment.contractId, reason: 'amendment_after_start' } },
    ]);
  });

  test('not where an amendment replaces what has not started', async () => {
    await amend(await office.accept({}, ['seller']));
    expect(office.scene.alarms.take()).toEqual([]);
  });
});

describe('the sweep says again what another one joins', () => {
  const sweeper = (alarms: RecordedAlarms): SweepHandler =>
    new SweepHandler(
      office.unitOfWork,
      {
        batchSize: 100,
        longestCallMs: 60_000,
        deliveryLead: { days: DELIVERY_LEAD_DAYS },
        overdueMs: HOUR_MS,
        attentionMs: 24 * HOUR_MS,
      },
      new RecordedWake(),
      alarms,
    );

  test('a case of the same reason, also where the one before it was closed meanwhile', async () => {
    const alarms = new RecordedAlarms();
    const handler = sweeper(alarms);
    const said = async (): Promise<unknown[]> => {
      await office.dropWork();
      await handler.handle(new AbortController().signal);
      return alarms.take().map(({ code, context }) => `${code} ${context['open']}`);
    };
    await amend(await started());
    await amend(await started());
    await office.sql("UPDATE v402.hold SET placed_at = placed_at - interval '25 hours'");
    expect(await said()).toEqual(['quarantine_unattended 2']);
    expect(await said()).toEqual([]);

    await office.sql(
      "UPDATE v402.hold SET resolution = 'reject' WHERE placed_at = (SELECT max(placed_at) FROM v402.hold)",
    );
    expect(await said()).toEqual([]);

    await amend(await started());
    expect(await said()).toEqual(['quarantine_unattended 2']);
    expect(await said()).toEqual([]);
  });

  test('behavior: more that is blocked for the same reason', async () => {
    const alarms = new RecordedAlarms();
    const handler = sweeper(alarms);
    const trades = [await office.accept({}, ['seller']), await office.accept({}, ['seller'])];
    const block = async ({ contractId }: AgreedTrade): Promise<unknown[]> => {
      await office.sql(
        "UPDATE v402.delivery SET state = 'blocked', code = 'exceeds_quantity' WHERE contract_id = $1",
        Buffer.from(contractId, 'hex'),
      );
      await handler.handle(new AbortController().signal);
      await handler.handle(new AbortController().signal);
      return alarms.take().map(({ code, context }) => `${code} ${context['open']}`);
    };
    expect(await block(trades[0]!)).toEqual(['obligations_blocked 1']);
    expect(await block(trades[1]!)).toEqual(['obligations_blocked 2']);
  });
});
