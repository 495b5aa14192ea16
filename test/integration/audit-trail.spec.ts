import { randomUUID } from 'node:crypto';
import { NO_DIGEST, verifyAuditTrail } from '@v402/application';
import { DecoratedUnitOfWork } from '@v402/testing';
import pg from 'pg';
import { BackOffice } from '../support/back-office.js';
import { variant, type AgreedTrade } from '../support/intake-scene.js';
import { Operator } from '../support/operator.js';
import { StopsAt } from '../support/seams.js';

/** Real: PostgreSQL with its roles. What no role of ours may do to the chain is done as the owner. */
let office: BackOffice;
let operator: Operator;

beforeEach(async () => {
  office = await BackOffice.open();
  operator = new Operator(office.scene);
});
afterEach(async () => {
  await operator.close();
  await office.close();
});

/** A second contract that waits for a decision. */
async function waiting(): Promise<AgreedTrade> {
  const negotiationId = randomUUID();
  const first = await office.accept({ negotiationId });
  const second = variant('second', { negotiationId, agreedAt: first.contract.agreedAt });
  const message = office.scene.message(second.envelope, { arrival: { at: first.contract.agreedAt, source: 'broker' } });
  await office.scene.handler.handle([message]);
  return second;
}

async function entries(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await operator.reject((await waiting()).contractId);
}

const verify = (expectedHead?: string): ReturnType<typeof verifyAuditTrail> =>
  verifyAuditTrail(operator.unitOfWork, expectedHead);

async function asOwner(sql: string): Promise<void> {
  const owner = new pg.Client({ connectionString: office.database.ownerUrl });
  await owner.connect();
  try {
    await owner.query(sql);
  } finally {
    await owner.end();
  }
}

test('default: each entry holds the digest of the one before, the first none', async () => {
  expect(await verify()).toEqual({ entries: 0n, head: NO_DIGEST, broken: undefined, hasExpectedHead: undefined });
  await entries(3);
  const chain = await operator.audit();
  expect(chain.map(({ sequence }) => sequence)).toEqual([1n, 2n, 3n]);
  expect(chain.map(({ previous }) => previous)).toEqual([NO_DIGEST, chain[0]!.digest, chain[1]!.digest]);
  expect(chain[0]).toMatchObject({ actor: 'olivia', login: 'v402_operator_login', action: 'reject' });
  expect(await verify(chain[1]!.digest)).toEqual({
    entries: 3n,
    head: chain[2]!.digest,
    broken: undefined,
    hasExpectedHead: true,
  });
});

test.each([
  ['an actor', "UPDATE v402.audit_entry SET actor = 'nobody' WHERE sequence = 2", 'digest_differs', 2n],
  ['a reason', "UPDATE v402.audit_entry SET reason = reason || '.' WHERE sequence = 1", 'digest_differs', 1n],
  ['a time', "UPDATE v402.audit_entry SET at = at + interval '1 microsecond' WHERE sequence = 3", 'digest_differs', 3n],
  [
    'details',
    `UPDATE v402.audit_entry SET details = details || '{"more":"1"}' WHERE sequence = 2`,
    'digest_differs',
    2n,
  ],
  ['a login', "UPDATE v402.audit_entry SET login = 'postgres' WHERE sequence = 2", 'digest_differs', 2n],
  ['a contract', 'UPDATE v402.audit_entry SET contract_id = NULL WHERE sequence = 2', 'digest_differs', 2n],
] as const)('%s that was changed is found', async (_, sql, fault, sequence) => {
  await entries(3);
  await asOwner(sql);
  expect((await verify()).broken).toEqual({ sequence, fault });
});

test('an entry that was removed is found', async () => {
  await entries(3);
  await asOwner('DELETE FROM v402.audit_entry WHERE sequence = 2');
  expect((await verify()).broken).toEqual({ sequence: 3n, fault: 'sequence_gap' });
});

test('an entry that was removed, and its gap closed, is found', async () => {
  await entries(3);
  await asOwner(
    'DELETE FROM v402.audit_entry WHERE sequence = 2; UPDATE v402.audit_entry SET sequence = 2 WHERE sequence = 3',
  );
  expect((await verify()).broken).toEqual({ sequence: 2n, fault: 'previous_differs' });
});

test('entries that were exchanged are found', async () => {
  await entries(3);
  await asOwner(`BEGIN;
    ALTER TABLE v402.audit_entry DROP CONSTRAINT audit_entry_sequence;
    UPDATE v402.audit_entry SET sequence = -sequence WHERE sequence < 3;
    UPDATE v402.audit_entry SET sequence = 3 + sequence WHERE sequence < 0;
    COMMIT`);
  expect((await verify()).broken).toEqual({ sequence: 1n, fault: 'previous_differs' });
});

test('entries that were cut off at the end are found only with a head that was noted elsewhere', async () => {
  await entries(3);
  const { head } = await verify();
  await asOwner('DELETE FROM v402.audit_entry WHERE sequence = 3');
  expect(await verify()).toMatchObject({ entries: 2n, broken: undefined });
  expect(await verify(head)).toMatchObject({ broken: undefined, hasExpectedHead: false });
});

test('two operators at once append one after the other', async () => {
  const [one, other] = [await waiting(), await waiting()];
  const stops = new StopsAt('C9');
  const request = { actor: 'peter', reason: 'checked' };
  const slow = operator.handler({ faults: stops }).reject(one.contractId, request);
  await stops.reached;
  const fast = operator.reject(other.contractId);
  await office.scene.untilWaiting('operator');
  stops.release();
  await Promise.all([slow, fast]);
  expect((await operator.audit()).map(({ actor }) => actor)).toEqual(['peter', 'olivia']);
  expect(await verify()).toMatchObject({ entries: 2n, broken: undefined });
});

test('guard removed: the lock of the chain. Its backstop lets no branch in', async () => {
  const [one, other] = [await waiting(), await waiting()];
  const unlocked = new Operator(office.scene, {
    decorate: (real) =>
      new DecoratedUnitOfWork(real, {
        audit: () => ({
          lockHead: () => Promise.resolve({ sequence: 0n, digest: NO_DIGEST, login: 'v402_operator_login' }),
        }),
      }),
  });
  const stops = new StopsAt('C9', 1);
  const slow = unlocked.handler({ faults: stops }).reject(one.contractId, { actor: 'peter', reason: 'checked' });
  await stops.reached;
  const second = unlocked.reject(other.contractId);
  await office.scene.untilWaiting('operator');
  stops.release();
  await slow;
  await expect(second).rejects.toMatchObject({ code: 'data_error' });
  await unlocked.close();
  expect(await verify()).toMatchObject({ entries: 1n, broken: undefined });
});

describe('what operators and services may not do', () => {
  const FIXED = ['raw_message', 'decision', 'event', 'audit_entry', 'deal'];

  const inDatabase = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  const stateOf = (client: pg.Client, sql: string): Promise<string | undefined> =>
    client.query(sql).then(
      () => undefined,
      (error: unknown) => (error instanceof pg.DatabaseError ? error.code : 'other'),
    );

  const DENIED = '42501';

  test.each(['operatorUrl', 'appUrl'] as const)(
    '%s: no bytes, decision, event or entry can be changed or deleted',
    async (url) => {
      await inDatabase(office.database[url], async (client) => {
        for (const table of FIXED) {
          expect(await stateOf(client, `DELETE FROM v402.${table}`)).toBe(DENIED);
          expect(await stateOf(client, `TRUNCATE v402.${table}`)).toBe(DENIED);
        }
        const { rows } = await client.query<{ column: string }>(
          `SELECT table_name || '.' || column_name AS column FROM information_schema.column_privileges
         WHERE table_schema = 'v402' AND privilege_type = 'UPDATE' AND grantee = $1 AND table_name <> 'work'
           AND (table_name = ANY ($2) OR column_name IN ('contract_id', 'canonical', 'raw_digest', 'amount', 'total', 'bytes',
             'terms', 'currency', 'evidence', 'reason', 'conflicts_with'))`,
          [url === 'appUrl' ? 'v402_app' : 'v402_operator', FIXED],
        );
        // The right to lock a deal's row is the right to update one of its columns.
        expect(rows.map(({ column }) => column)).toEqual(['deal.created_at']);
      });
    },
  );

  test('services release no hold, close no entry, unpark no stream, and write no audit entry', async () => {
    await inDatabase(office.database.appUrl, async (client) => {
      for (const sql of [
        "UPDATE v402.hold SET released_by = 'me'",
        "UPDATE v402.hold SET resolution = 'release'",
        "UPDATE v402.quarantine SET resolution = 'release'",
        'UPDATE v402.order_placement SET redrives = 1',
        'DELETE FROM v402.parked_stream',
        'SELECT FROM v402.approval',
        'INSERT INTO v402.audit_entry (sequence) VALUES (1)',
      ]) {
        expect([sql, await stateOf(client, sql)]).toEqual([sql, DENIED]);
      }
    });
  });

  test('an operator writes nobody else’s login into the audit trail, and claims no work', async () => {
    await inDatabase(office.database.operatorUrl, async (client) => {
      for (const sql of [
        "INSERT INTO v402.audit_entry (sequence, login) VALUES (1, 'postgres')",
        "UPDATE v402.work SET leased_by = 'me'",
        'DELETE FROM v402.outbox',
        'DELETE FROM v402.hold',
        'DELETE FROM v402.quarantine',
        "UPDATE v402.approval SET requested_by = 'somebody else'",
        "UPDATE v402.approval SET requested_login = 'somebody else'",
        "UPDATE v402.approval SET decided_login = 'somebody else'",
        "INSERT INTO v402.approval (requested_login) VALUES ('somebody else')",
        "INSERT INTO v402.approval (outcome) VALUES ('approved')",
        'SELECT FROM orderbook.order_head',
      ]) {
        expect([sql, await stateOf(client, sql)]).toEqual([sql, DENIED]);
      }
    });
  });

  test('nobody approves their own request, whatever program they use', async () => {
    const { contractId } = await waiting();
    const handler = operator.handler({ approvalOver: { '*': '0' } });
    await handler.release(contractId, { actor: 'olivia', reason: 'checked' }, { orderChanged: false });
    const approve = (actor: string): string =>
      `UPDATE v402.approval SET outcome = 'approved', decided_by = '${actor}', decided_at = now()`;
    await inDatabase(office.database.operatorUrl, async (client) => {
      expect(await stateOf(client, approve('olivia'))).toBe('23514');
      expect(await stateOf(client, approve('peter'))).toBe('23514');
    });
    await inDatabase(office.database.secondOperatorUrl, async (client) => {
      expect(await stateOf(client, approve('olivia'))).toBe('23514');
      expect(await stateOf(client, approve('peter'))).toBeUndefined();
    });
  });
});
