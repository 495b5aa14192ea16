import type { OperatorCase, Resolved } from '@v402/application';
import { ScriptedOrderSystem } from '@v402/testing';
import type { BackOffice } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { OperationsScene, refusal } from '../support/operations-scene.js';
import type { Operator } from '../support/operator.js';

/** What takes a second person besides releases. Real: PostgreSQL with two operators' logins, intake, the placing of orders. */
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

const request = { actor: 'olivia', reason: 'the parties confirmed it' };
/** A trade is about 617 EUR unless its draft says otherwise. */
const approvalOver = { EUR: '600', '*': '0' };
const LESS = { lines: [{ sku: 'BOLT', quantity: '100', unitPrice: '3.00' }] } as const;

const reject = (id: string): Promise<Resolved> => operator.handler({ approvalOver }).reject(id, request);
const redrive = (id: string): Promise<Resolved> => operator.handler({ approvalOver }).redrive(id, request);
const approve = (id: string): Promise<Resolved> =>
  scene.peter.handler({ approvalOver }).approve(id, { actor: 'peter' });

async function placeOrders(): Promise<void> {
  await office.makeDue();
  await office.orders(system).handle();
}

async function refusedOrder(): Promise<AgreedTrade> {
  system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
  const trade = await office.accept({}, ['seller']);
  await placeOrders();
  system.script = {};
  return trade;
}

async function caseOf({ contractId }: AgreedTrade, reason: OperatorCase['reason']): Promise<OperatorCase> {
  const cases = await operator.cases(contractId);
  return cases.find((one) => one.contractId === contractId && one.reason === reason)!;
}

async function auditOf(subject: string): Promise<unknown> {
  const entries = (await operator.audit()).filter((entry) => entry.subject === subject);
  return entries.map(({ action, actor, details }) => ({ action, actor, details }));
}

test('to reject a second contract, which lets the first go on', async () => {
  const { first, second } = await scene.conflict();
  const asked = await reject(second.contractId);
  if (asked.outcome !== 'pending') throw new Error('It waits for a second person.');
  await placeOrders();
  expect(system.orders).toEqual([]);
  await expect(reject(second.contractId)).rejects.toEqual(refusal('approval_pending'));

  expect(await approve(asked.approvalId)).toMatchObject({ changes: { refusedContract: second.contractId } });
  await placeOrders();
  expect(system.orders).toMatchObject([{ contractId: first.contractId }, { contractId: first.contractId }]);
  expect(await auditOf(asked.caseId)).toMatchObject([
    {
      action: 'request_release',
      actor: 'olivia',
      details: { approval: asked.approvalId, asked: 'reject', amount: '617.00 EUR' },
    },
    {
      action: 'approve_release',
      actor: 'peter',
      details: { approval: asked.approvalId, approved: 'reject', requestedBy: 'olivia' },
    },
  ]);
});

test('to reject an amendment, by the total of what goes on instead', async () => {
  const base = await office.accept({}, ['seller']);
  await placeOrders();
  const amendment = await scene.amend(base, LESS);
  const asked = await reject(amendment.contractId);
  expect(asked).toMatchObject({ outcome: 'pending', audit: { details: { amount: '617.00 EUR' } } });
  expect(await scene.settlementOf(base)).toMatchObject({ current: false });
  await approve(asked.caseId);
  expect(await scene.settlementOf(base)).toMatchObject({ current: true });

  const less = await office.accept(LESS, ['seller']);
  await placeOrders();
  expect(await reject((await scene.amend(less)).contractId)).toMatchObject({ outcome: 'done' });
});

test('to redrive an order, which lets its payments go on; one that nobody can redrive is refused at once', async () => {
  const trade = await refusedOrder();
  const asked = await redrive(trade.contractId);
  expect(asked).toMatchObject({ outcome: 'pending', audit: { details: { asked: 'redrive' } } });
  await placeOrders();
  expect(system.orders).toEqual([]);
  expect(await approve(asked.caseId)).toMatchObject({ changes: { from: 'rejected', to: 'waiting' } });
  await placeOrders();
  expect(system.orders).toMatchObject([{ contractId: trade.contractId }]);

  const base = await refusedOrder();
  const amendment = await scene.amend(base);
  await expect(redrive((await caseOf(base, 'order_rejected')).id)).rejects.toEqual(refusal('not_current'));
  await operator.release(amendment.contractId);
});

test('to reject an order only where that ends its hold', async () => {
  const base = await refusedOrder();
  const { id } = await caseOf(base, 'order_rejected');
  expect(await reject(id)).toMatchObject({ outcome: 'done', changes: { hold: 'stays' } });

  const amendment = await scene.amend(base);
  await operator.release((await caseOf(amendment, 'amendment_after_start')).id);
  expect(await reject(id)).toMatchObject({ outcome: 'pending' });
  await placeOrders();
  expect(system.orders).toEqual([]);
  expect(await approve(id)).toMatchObject({ changes: { hold: 'released' } });
  await placeOrders();
  expect(system.orders).toMatchObject([{ contractId: amendment.contractId }]);
});

test('not to reject a second contract that holds nothing', async () => {
  const { first, second } = await scene.conflict();
  for (const { contractId } of [first, second]) scene.forged.add(contractId);
  const { id } = await caseOf(second, 'equivocation');
  await office.sql('UPDATE v402.quarantine SET hold_id = NULL WHERE id = $1', id);
  expect(await reject(id)).toMatchObject({ outcome: 'done' });
});

test('what is rejected while its release waits: the audit trail names the request that was withdrawn', async () => {
  const { second } = await scene.conflict();
  const asked = await operator.handler({ approvalOver }).release(second.contractId, request, { orderChanged: false });
  if (asked.outcome !== 'pending') throw new Error('It waits for a second person.');
  expect(await operator.reject(asked.caseId)).toMatchObject({ audit: { details: { withdrawn: asked.approvalId } } });
  const [approval] = await office.sql('SELECT outcome FROM v402.approval WHERE case_id = $1', asked.caseId);
  expect(approval).toEqual({ outcome: 'withdrawn' });
});
