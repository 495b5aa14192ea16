import { randomUUID } from 'node:crypto';
import { ScriptedOrderSystem } from '@v402/testing';
import { BackOffice } from '../support/back-office.js';
import { v402, type CliResult } from '../support/cli.js';
import { variant, type AgreedTrade } from '../support/intake-scene.js';
import { TRUST_REGISTRY } from '../support/trade.js';

/** An operator's day at the built command line. Real: PostgreSQL, intake, the placing of orders. */
let office: BackOffice;
let env: Record<string, string>;

beforeAll(async () => {
  office = await BackOffice.open();
  env = {
    V402_OPERATOR_DATABASE_URL: office.database.operatorUrl,
    V402_DATABASE_URL: office.database.appUrl,
    V402_INSTANCE_ID: 'test',
  };
});
afterAll(() => office.close());

const INTAKE = { V402_PARTIES: '*', V402_TRUST_REGISTRY: TRUST_REGISTRY };

const run = (args: readonly string[], more: Record<string, string> = {}): Promise<CliResult> =>
  v402(args, { env: { ...env, ...more } });

const jsonOf = ({ stdout }: CliResult): unknown => JSON.parse(stdout);

const BY_OLIVIA = ['--actor', 'olivia', '--reason', 'Buyer confirmed by phone, ticket 4711'];

async function conflict(): Promise<{ first: AgreedTrade; second: AgreedTrade; id: string }> {
  const negotiationId = randomUUID();
  const first = await office.accept({ negotiationId });
  const second = variant('second', { negotiationId, agreedAt: first.contract.agreedAt });
  const message = office.scene.message(second.envelope, { arrival: { at: first.contract.agreedAt, source: 'broker' } });
  await office.scene.handler.handle([message]);
  const [entry] = await office.scene.of<{ id: string }>('quarantine', second.contractId);
  return { first, second, id: entry!.id };
}

test('list and show: what waits, with both documents, signatures and key entries; nothing is changed', async () => {
  const { first, second, id } = await conflict();
  const before = await office.scene.content();
  const list = await run(['quarantine', 'list', '--reason', 'equivocation']);
  expect(list).toMatchObject({ status: 0, stderr: '' });
  expect(list.stdout).toContain(id);
  expect(list.stdout).toContain(second.shortRef);

  const shown = await run(['quarantine', 'show', id]);
  expect(shown).toMatchObject({ status: 0, stderr: '' });
  for (const text of [
    first.contractId,
    second.contractId,
    'com.example.variant',
    'did:web:seller.example#1',
    'negotiation_conflict',
  ]) {
    expect(shown.stdout).toContain(text);
  }
  const json = jsonOf(await run(['quarantine', 'show', second.shortRef, '--json'])) as {
    documents: { what: string; raw: { bytes: string }; decisions: { outcome: string; keys: unknown[] }[] }[];
  };
  expect(json.documents.map(({ what, decisions }) => [what, decisions[0]!.outcome, decisions[0]!.keys.length])).toEqual(
    [
      ['other contract', 'accepted', 2],
      ['contract', 'quarantined', 2],
    ],
  );
  expect(Buffer.from(json.documents[1]!.raw.bytes, 'base64')).toEqual(Buffer.from(second.envelope));
  expect(await office.scene.content()).toEqual(before);
});

test('an order that was refused: list, redrive, and the audit trail', async () => {
  const system = new ScriptedOrderSystem();
  system.script.create = () => Promise.resolve({ outcome: 'rejected', code: 'sku_unknown', message: '' });
  const trade = await office.accept({}, ['seller']);
  await office.orders(system).handle();
  const redriven = await run(['redrive', trade.shortRef, ...BY_OLIVIA]);
  expect(redriven).toMatchObject({ status: 0, stderr: '' });
  expect(redriven.stdout).toMatch(
    /^Done: redrive of [0-9a-f-]{36}\.\n {2}side: seller\n {2}from: rejected\n {2}to: waiting\n/,
  );

  const again = await run(['redrive', trade.shortRef, ...BY_OLIVIA]);
  expect(again).toEqual({ status: 1, stdout: '', stderr: 'nothing_to_redrive: Nothing of this contract is stuck.\n' });

  const shown = await run(['show', trade.shortRef]);
  expect(shown.stdout).toContain('What operators did');
  expect(shown.stdout).toContain('ticket 4711');
  const verified = await run(['audit', 'verify']);
  expect(verified).toMatchObject({ status: 0, stderr: '' });
  const [, head] = /^in order\nentries {2}\d+\nhead {5}([0-9a-f]{64})\n$/.exec(verified.stdout)!;
  expect(await run(['audit', 'verify', '--expect-head', head!])).toMatchObject({ status: 0 });
  expect((await run(['audit', 'list'])).stdout).toContain('ticket 4711');

  const missing = await run(['audit', 'verify', '--expect-head', 'f'.repeat(64)]);
  expect(missing).toMatchObject({ status: 1 });
  await office.sql("UPDATE v402.audit_entry SET reason = 'another' WHERE sequence = 1");
  expect(await run(['audit', 'verify'])).toMatchObject({ status: 1, stdout: 'broken at entry 1: digest_differs\n' });
  await office.sql("UPDATE v402.audit_entry SET reason = 'Buyer confirmed by phone, ticket 4711' WHERE sequence = 1");
});

test('a release over the limit takes two people', async () => {
  const { second, id } = await conflict();
  const more = { ...INTAKE, V402_APPROVAL_OVER: 'EUR=600,*=0' };
  const asked = await run(['quarantine', 'release', id, ...BY_OLIVIA], more);
  expect(asked).toMatchObject({ status: 0, stderr: '' });
  expect(asked.stdout).toMatch(/^Waits for a second person: v402 quarantine approve [0-9a-f-]{36}\n/);
  expect((await run(['quarantine', 'list'])).stdout).toContain('release waits for approval, asked by olivia');
  // Whoever approves can read what of: a rejection may wait just the same.
  expect((await run(['quarantine', 'show', id])).stdout).toMatch(/[0-9a-f-]{36} +│ release +│ olivia/);
  const alone = await run(['quarantine', 'approve', id, '--actor', 'olivia'], more);
  expect(alone).toMatchObject({ status: 1, stdout: '' });
  expect(alone.stderr).toMatch(/^same_person: /);
  const renamed = await run(['quarantine', 'approve', id, '--actor', 'peter'], more);
  expect(renamed).toMatchObject({ status: 1, stdout: '' });
  expect(renamed.stderr).toMatch(/^same_person: /);
  const peters = { ...more, V402_OPERATOR_DATABASE_URL: office.database.secondOperatorUrl };
  const approved = await run(['quarantine', 'approve', id, '--actor', 'peter'], peters);
  expect(approved).toMatchObject({ status: 0, stderr: '' });
  expect(await office.scene.of('settlement', second.contractId)).toMatchObject([{ current: true }]);
});

test('refused: a code, what stands in the way, status 1; as JSON too', async () => {
  const { first, id } = await conflict();
  await office.sql(
    "UPDATE v402.order_placement SET state = 'placing' WHERE contract_id = $1",
    Buffer.from(first.contractId, 'hex'),
  );
  const refused = await run(['quarantine', 'release', id, ...BY_OLIVIA, '--json'], INTAKE);
  expect(refused).toMatchObject({ status: 1, stderr: '' });
  expect(jsonOf(refused)).toMatchObject({
    outcome: 'refused',
    code: 'already_started',
    context: { contractId: first.contractId },
  });
});

test.each([
  ['no reason', ['quarantine', 'reject', randomUUID()], "required option '--reason <text>'"],
  [
    'content',
    ['quarantine', 'release', randomUUID(), ...BY_OLIVIA, '--contract', 'file'],
    "unknown option '--contract'",
  ],
  ['a file', ['redrive', randomUUID(), 'contract.json', ...BY_OLIVIA], 'too many arguments'],
  ['an edit', ['quarantine', 'edit', randomUUID()], "unknown command 'edit'"],
  ['a digest that is none', ['audit', 'verify', '--expect-head', 'abc'], 'A digest has 64'],
])('%s: status 2', async (_, args, sentence) => {
  const { status, stdout, stderr } = await run(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(sentence);
});

test('the services’ role is no operator', async () => {
  const { id } = await conflict();
  const asService = await run(['quarantine', 'reject', id, ...BY_OLIVIA], {
    V402_OPERATOR_DATABASE_URL: office.database.appUrl,
  });
  expect(asService).toMatchObject({ status: 2, stdout: '' });
  expect(asService.stderr).toMatch(/^database_permission_denied: /);
});
