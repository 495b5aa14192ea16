import { randomUUID } from 'node:crypto';
import { TerminalError } from '@v402/domain';
import { DecoratedUnitOfWork, ScriptedOrderSystem } from '@v402/testing';
import pg from 'pg';
import type { BackOffice } from '../support/back-office.js';
import { variant } from '../support/intake-scene.js';
import { keyOf, OperationsScene, refusal } from '../support/operations-scene.js';
import type { Operator } from '../support/operator.js';
import { sha256 } from '../support/records.js';
import { StopsAt } from '../support/seams.js';
import { SELLER } from '../support/trade.js';

/** Real: PostgreSQL with the operators' own role and two logins of it, intake, the placing of orders. */
let scene: OperationsScene;
let office: BackOffice;
let operator: Operator;

beforeAll(async () => {
  scene = await OperationsScene.open();
  ({ office, operator } = scene);
});
beforeEach(() => office.dropWork());
afterAll(() => scene.close());

describe('a second person', () => {
  const request = { actor: 'olivia', reason: 'the parties confirmed it' };
  const approvalOver = { EUR: '600', '*': '0' };

  test('over the limit a release waits; another person executes it, and both are in the audit trail', async () => {
    const { first, second } = await scene.conflict();
    const handler = operator.handler({ approvalOver });
    const asked = await handler.release(second.contractId, request, { orderChanged: false });
    expect(asked).toMatchObject({
      outcome: 'pending',
      audit: { action: 'request_release', details: { amount: '617.00 EUR' } },
    });
    expect(await scene.settlementOf(second)).toBeUndefined();
    await expect(handler.release(second.contractId, request, { orderChanged: false })).rejects.toEqual(
      refusal('approval_pending'),
    );
    const peters = scene.peter.handler({ approvalOver });
    // Another name does not make another person, nor does another login.
    await expect(handler.approve(asked.caseId, { actor: 'peter' })).rejects.toEqual(refusal('same_person'));
    await expect(peters.approve(asked.caseId, { actor: ' Olivia' })).rejects.toEqual(refusal('same_person'));
    expect(await scene.settlementOf(second)).toBeUndefined();

    expect(await peters.approve(asked.caseId, { actor: 'peter' })).toMatchObject({ outcome: 'done' });
    expect(await scene.settlementOf(first)).toEqual({ state: 'superseded', current: false });
    expect(await scene.settlementOf(second)).toEqual({ state: 'accepted', current: true });
    const entries = (await operator.audit()).filter(({ contractId }) => contractId === second.contractId);
    expect(entries.map(({ action, actor, login }) => [action, actor, login])).toEqual([
      ['request_release', 'olivia', 'v402_operator_login'],
      ['approve_release', 'peter', 'second_operator_login'],
    ]);
    expect(await operator.unitOfWork.run((tx) => tx.cases.approvals(asked.caseId))).toMatchObject([
      { requestedLogin: 'v402_operator_login', decidedLogin: 'second_operator_login', outcome: 'approved' },
    ]);
    await expect(peters.approve(asked.caseId, { actor: 'peter' })).rejects.toEqual(refusal('approval_not_found'));
  });

  test('at the limit nobody has to approve', async () => {
    const { second } = await scene.conflict();
    const handler = operator.handler({ approvalOver: { EUR: '617.00' } });
    expect(await handler.release(second.contractId, request, { orderChanged: false })).toMatchObject({
      outcome: 'done',
    });
  });

  test('a redrive that lets a message in is no way around it', async () => {
    const negotiationId = randomUUID();
    const failing = new DecoratedUnitOfWork(office.unitOfWork, {
      deals: () => ({ insertMissing: () => Promise.reject(new TerminalError('data_error', '')) }),
    });
    const trade = variant('waits', { negotiationId, agreedAt: new Date(Date.now() - 5_000).toISOString() });
    await office.scene.handlerWith({ unitOfWork: failing }).handle([scene.arrived(trade)]);
    const one = (await operator.cases()).find(({ rawDigest }) => rawDigest === sha256(trade.envelope));
    const handler = operator.handler({ approvalOver });
    expect(await handler.redrive(one!.id, request)).toMatchObject({ outcome: 'pending' });
    expect(await scene.peter.handler().approve(one!.id, { actor: 'peter' })).toMatchObject({
      changes: { decision: 'accepted' },
    });
  });

  test('a rejection withdraws what waits', async () => {
    const { second } = await scene.conflict();
    const handler = operator.handler({ approvalOver });
    const { caseId } = await handler.release(second.contractId, request, { orderChanged: false });
    await operator.reject(caseId);
    await expect(scene.peter.handler().approve(caseId, { actor: 'peter' })).rejects.toEqual(
      refusal('approval_not_found'),
    );
    expect(await scene.settlementOf(second)).toBeUndefined();
  });

  test('one that has become impossible meanwhile is refused when it is approved', async () => {
    const { first, second } = await scene.conflict();
    const handler = operator.handler({ approvalOver });
    const { caseId } = await handler.release(second.contractId, request, { orderChanged: false });
    scene.forged.add(first.contractId);
    await office.sql("UPDATE v402.order_placement SET state = 'placing' WHERE contract_id = $1", keyOf(first));
    await expect(scene.peter.handler().approve(caseId, { actor: 'peter' })).rejects.toEqual(refusal('already_started'));
  });

  test('nobody is asked to approve what cannot be done', async () => {
    const system = new ScriptedOrderSystem();
    system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
    const refused = await office.accept({}, ['seller']);
    await office.orders(system).handle();
    system.script = {};
    const base = await office.accept({}, ['seller']);
    await office.orders(system).handle();
    const { negotiationId, agreedAt } = base.contract;
    const amendment = variant('amended', { negotiationId, agreedAt, supersedes: base.contractId });
    await office.scene.handlerWith({ policy: { servedParties: [SELLER] } }).handle([scene.arrived(amendment)]);
    const { second: expired } = await scene.conflict();
    await office.sql(
      "UPDATE v402.decision SET arrival = '9999-01-01' WHERE contract_id = $1 AND outcome = 'quarantined'",
      keyOf(expired),
    );
    scene.forged.add(expired.contractId);

    const before = await office.scene.content();
    const handler = operator.handler({ approvalOver });
    const release = (id: string, orderChanged: boolean): Promise<unknown> =>
      handler.release(id, request, { orderChanged });
    await expect(release(refused.contractId, false)).rejects.toEqual(refusal('use_redrive'));
    await expect(release(amendment.contractId, false)).rejects.toEqual(refusal('order_change_unconfirmed'));
    await expect(release(expired.contractId, false)).rejects.toEqual(refusal('contract_refused'));
    expect(await office.scene.content()).toEqual(before);
    expect(await release(amendment.contractId, true)).toMatchObject({ outcome: 'pending' });
  });

  test('a request for something else takes the place of the one that waits, and both are in the audit trail', async () => {
    const { second } = await scene.conflict();
    const handler = operator.handler({ approvalOver });
    const wrong = await handler.release(second.contractId, request, { orderChanged: true });
    const right = await handler.release(second.contractId, request, { orderChanged: false });
    if (wrong.outcome !== 'pending' || right.outcome !== 'pending') throw new Error('Both wait for a second person.');
    expect(right.audit.details).toMatchObject({ approval: right.approvalId, withdrawn: wrong.approvalId });
    const peters = scene.peter.handler({ approvalOver });
    await expect(peters.approve(wrong.approvalId, { actor: 'peter' })).rejects.toEqual(refusal('approval_not_found'));
    expect(await peters.approve(right.approvalId, { actor: 'peter' })).toMatchObject({ outcome: 'done' });
  });

  test('an approval behind another action’s lock finds its request withdrawn, and approves nothing else', async () => {
    const { second } = await scene.conflict();
    const asked = await operator.handler({ approvalOver }).release(second.contractId, request, { orderChanged: true });
    const stops = new StopsAt('C9');
    const askingAgain = operator
      .handler({ approvalOver, faults: stops })
      .release(second.contractId, request, { orderChanged: false });
    await stops.reached;
    const approving = scene.peter.handler({ approvalOver }).approve(asked.caseId, { actor: 'peter' });
    await office.scene.untilWaiting('operator');
    stops.release();
    await askingAgain;
    await expect(approving).rejects.toEqual(refusal('approval_not_found'));
    expect(await scene.settlementOf(second)).toBeUndefined();
  });

  test('an approval waits for the deal before it locks anything else', async () => {
    const { first, second } = await scene.conflict();
    const { caseId } = await operator
      .handler({ approvalOver })
      .release(second.contractId, request, { orderChanged: false });
    const other = new pg.Client({ connectionString: office.database.adminUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query(
      'SELECT FROM v402.deal WHERE key = (SELECT deal_key FROM v402.settlement WHERE contract_id = $1) FOR UPDATE',
      [keyOf(first)],
    );
    const approving = scene.peter.handler({ approvalOver }).approve(caseId, { actor: 'peter' });
    await office.scene.untilWaiting('operator');
    const locked = await other.query('SELECT FROM v402.approval WHERE case_id = $1 FOR UPDATE SKIP LOCKED', [caseId]);
    await other.query('COMMIT');
    await other.end();
    expect(locked.rowCount).toBe(1);
    expect(await approving).toMatchObject({ outcome: 'done' });
  });
});
