import type { OperatorCase } from '@v402/application';
import { ScriptedOrderSystem } from '@v402/testing';
import type { BackOffice } from '../support/back-office.js';
import { variant, type AgreedTrade } from '../support/intake-scene.js';
import { OperationsScene, refusal } from '../support/operations-scene.js';
import type { Operator } from '../support/operator.js';

/** Amendments of amendments whose base has no order. Real: PostgreSQL, intake, the placing of orders, operators' role. */
let scene: OperationsScene;
let office: BackOffice;
let operator: Operator;
let system: ScriptedOrderSystem;

beforeAll(async () => {
  scene = await OperationsScene.open();
  ({ office, operator } = scene);
});
beforeEach(async () => {
  await office.dropWork();
  system = new ScriptedOrderSystem();
});
afterAll(() => scene.close());

/** The open case about a contract for the given reason. */
async function caseOf({ contractId }: AgreedTrade, reason: OperatorCase['reason']): Promise<OperatorCase> {
  const cases = await operator.cases(contractId);
  return cases.find((one) => one.contractId === contractId && one.reason === reason)!;
}

async function placeOrders(): Promise<void> {
  await office.makeDue();
  await office.orders(system).handle();
}

const toldSuperseded = async (trade: AgreedTrade): Promise<unknown> =>
  (await office.events(trade, 'settlement.superseded')).map(({ data }) => data['supersededBy']);

async function rejectedBase(): Promise<AgreedTrade> {
  system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
  const base = await office.accept({}, ['seller']);
  await placeOrders();
  system.script = {};
  return base;
}

describe('the base’s order was refused', () => {
  test('an older amendment that was overtaken can be rejected, and the newer one starts', async () => {
    const base = await rejectedBase();
    const older = await scene.amend(base);
    const newer = await scene.amend(older);
    const ofOlder = await caseOf(older, 'amendment_after_start');
    await operator.release((await caseOf(newer, 'amendment_after_start')).id);
    expect(await scene.settlementOf(base)).toEqual({ state: 'superseded', current: false });

    await expect(operator.release(ofOlder.id)).rejects.toEqual(refusal('not_current'));
    expect(await operator.reject(ofOlder.id)).toMatchObject({ changes: { voidContract: older.contractId } });
    await operator.reject((await caseOf(base, 'order_rejected')).id);
    expect(await operator.cases(newer.contractId)).toEqual([]);
    await placeOrders();
    expect(system.orders).toMatchObject([{ contractId: newer.contractId }]);
    expect(await scene.settlementOf(newer)).toEqual({ state: 'ordered', current: true });
    expect(await toldSuperseded(base)).toEqual([newer.contractId]);
    expect(await toldSuperseded(older)).toEqual([newer.contractId]);
  });

  test('an older amendment can be rejected before the newer one is released', async () => {
    const base = await rejectedBase();
    const older = await scene.amend(base);
    const newer = await scene.amend(older);
    await operator.reject((await caseOf(older, 'amendment_after_start')).id);
    await operator.release((await caseOf(newer, 'amendment_after_start')).id);
    await operator.reject((await caseOf(base, 'order_rejected')).id);
    await placeOrders();
    expect(system.orders).toMatchObject([{ contractId: newer.contractId }]);
    expect(await toldSuperseded(base)).toEqual([newer.contractId]);
    expect(await toldSuperseded(older)).toEqual([base.contractId]);
  });
});

describe('the base’s order turned out not to exist, while an amendment waits', () => {
  /** The answer was lost when the amendment came; then the look-up found nothing. */
  async function clearedBase(): Promise<{ base: AgreedTrade; older: AgreedTrade }> {
    system.script.create = () => Promise.resolve({ outcome: 'unknown', code: 'reset' });
    const base = await office.accept({}, ['seller']);
    await placeOrders();
    system.script = {};
    const older = await scene.amend(base);
    await office.sql("UPDATE v402.order_placement SET look_up_not_before = '2020-01-01'");
    await placeOrders();
    expect(await scene.settlementOf(base)).toEqual({ state: 'accepted', current: false });
    return { base, older };
  }

  test('an amendment of that amendment waits, too; released, it ends all that came before', async () => {
    const { base, older } = await clearedBase();
    const newer = await scene.amend(older);
    expect(await scene.settlementOf(older)).toEqual({ state: 'accepted', current: false });
    await operator.release((await caseOf(newer, 'amendment_after_start')).id);
    await operator.reject((await caseOf(older, 'amendment_after_start')).id);
    expect(await scene.settlementOf(base)).toEqual({ state: 'superseded', current: false });
    expect(await scene.settlementOf(older)).toEqual({ state: 'superseded', current: false });
    expect(await office.work(base)).toEqual([]);
    expect(await toldSuperseded(base)).toEqual([newer.contractId]);
    await placeOrders();
    expect(system.orders).toMatchObject([{ contractId: newer.contractId }]);
  });

  test('a second contract cannot take the waiting amendment’s place, which would leave the base behind', async () => {
    const { base, older } = await clearedBase();
    const { negotiationId, agreedAt } = base.contract;
    const second = variant('second', { negotiationId, agreedAt });
    const arrival = { at: agreedAt, source: 'broker' } as const;
    await office.scene.handler.handle([office.scene.message(second.envelope, { arrival })]);
    await expect(operator.release(second.contractId)).rejects.toEqual(refusal('amendment_undecided'));

    await operator.reject((await caseOf(older, 'amendment_after_start')).id);
    await operator.release(second.contractId);
    expect(await scene.settlementOf(base)).toEqual({ state: 'superseded', current: false });
    await placeOrders();
    // The release serves both sides, as intake does.
    expect(system.orders).toMatchObject([{ contractId: second.contractId }, { contractId: second.contractId }]);
  });
});
