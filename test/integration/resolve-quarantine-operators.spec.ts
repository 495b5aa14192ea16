import { randomUUID } from 'node:crypto';
import { DecoratedUnitOfWork } from '@v402/testing';
import type { BackOffice } from '../support/back-office.js';
import { variant } from '../support/intake-scene.js';
import { keyOf, OperationsScene, refusal } from '../support/operations-scene.js';
import { Operator } from '../support/operator.js';
import { DiesOnceAt, DoesAt, StopsAt } from '../support/seams.js';

/** What holds of whoever acts, whatever the case. Real: PostgreSQL with the operators' own role, intake with signatures. */
let scene: OperationsScene;
let office: BackOffice;
let operator: Operator;

beforeAll(async () => {
  scene = await OperationsScene.open();
  ({ office, operator } = scene);
});
beforeEach(() => office.dropWork());
afterAll(() => scene.close());

describe('two operators', () => {
  test('at the same moment: one wins, the other is told', async () => {
    const { first, second } = await scene.conflict();
    const other = new Operator(office.scene);
    const outcomes = await Promise.allSettled([operator.release(second.contractId), other.reject(second.contractId)]);
    await other.close();
    const refused = outcomes.filter((each) => each.status === 'rejected');
    expect(refused).toMatchObject([
      { reason: { code: expect.stringMatching(/^(already_resolved|case_not_found)$/) as string } },
    ]);
    const current = await office.sql(
      'SELECT contract_id FROM v402.settlement WHERE deal_key = (SELECT deal_key FROM v402.settlement WHERE contract_id = $1) AND current',
      keyOf(first),
    );
    expect(current).toHaveLength(1);
    const entries = (await operator.audit()).filter(({ contractId }) => contractId === second.contractId);
    expect(entries).toHaveLength(1);
  });

  test('one of them behind the other’s lock: it finds the case resolved', async () => {
    const { second } = await scene.conflict();
    const one = await operator.caseOf(second);
    const stops = new StopsAt('C9');
    const request = { actor: 'olivia', reason: 'checked' };
    const winning = operator.handler({ faults: stops }).reject(one.id, request);
    await stops.reached;
    const losing = operator.release(one.id);
    await office.scene.untilWaiting('operator');
    stops.release();
    await winning;
    await expect(losing).rejects.toEqual(refusal('already_resolved'));
  });

  test('guard removed: the second look under the lock. Both act on the same case', async () => {
    const negotiationId = randomUUID();
    const first = await office.accept({ negotiationId });
    const second = variant('second', { negotiationId, agreedAt: first.contract.agreedAt });
    await office.scene.handlerWith({ policy: { conflict: 'continue' } }).handle([scene.arrived(second)]);
    const one = await operator.caseOf(second);
    const blind = new Operator(office.scene, {
      decorate: (real) => new DecoratedUnitOfWork(real, { cases: () => ({ lock: () => Promise.resolve(one) }) }),
    });
    await operator.reject(one.id);
    await blind.reject(one.id);
    await blind.close();
    expect((await operator.audit()).filter(({ subject }) => subject === one.id)).toHaveLength(2);
  });
});

describe('a crash at C9', () => {
  test('leaves nothing half done, and the same action succeeds afterwards', async () => {
    const { second } = await scene.conflict();
    const before = await office.scene.content();
    const request = { actor: 'olivia', reason: 'checked' };
    const dying = operator.handler({ faults: new DiesOnceAt('C9') });
    await expect(dying.release(second.contractId, request, { orderChanged: false })).rejects.toMatchObject({
      code: 'process_died',
    });
    expect(await office.scene.content()).toEqual(before);
    await dying.release(second.contractId, request, { orderChanged: false });
    expect(await scene.settlementOf(second)).toEqual({ state: 'accepted', current: true });
  });

  test('its audit entry is in the same transaction: nobody sees one without the other', async () => {
    const { second } = await scene.conflict();
    const length = (await operator.audit()).length;
    let seen = 0;
    const faults = new DoesAt('C9', async () => {
      seen = (await office.sql('SELECT FROM v402.audit_entry')).length;
    });
    await operator.handler({ faults }).reject(second.contractId, { actor: 'olivia', reason: 'checked' });
    expect([seen, (await operator.audit()).length]).toEqual([length, length + 1]);
  });
});

test.each([
  ['actor', { actor: ' ', reason: 'checked' }, 'actor_invalid'],
  ['actor', { actor: 'o'.repeat(129), reason: 'checked' }, 'actor_invalid'],
  ['reason', { actor: 'olivia', reason: '' }, 'reason_invalid'],
  ['reason', { actor: 'olivia', reason: 'red \u001b[31m' }, 'reason_invalid'],
  ['reason', { actor: 'olivia', reason: 'half \ud800' }, 'reason_invalid'],
])('error: a %s that says nothing, or that a terminal would obey: %j', async (_, request, code) => {
  await expect(operator.handler().reject(randomUUID(), request)).rejects.toEqual(refusal(code));
});
