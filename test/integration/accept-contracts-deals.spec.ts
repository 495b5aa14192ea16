import { addSeconds } from '@v402/domain';
import { agreed, IntakeScene, variant, type AgreedTrade, type StoredDocument } from '../support/intake-scene.js';
import { sha256 } from '../support/records.js';
import { SIGNERS, testKey } from '../support/trade.js';

/** What a second contract for a deal does. Real: PostgreSQL, signatures and trust registry. */
let scene: IntakeScene;

beforeAll(async () => {
  scene = await IntakeScene.open();
});

afterAll(async () => {
  await scene.close();
});

const stateOf = async ({ contractId }: AgreedTrade): Promise<unknown> => {
  const [row] = await scene.of<{ current: boolean; state: string }>('settlement', contractId);
  return row && [row.state, row.current];
};

const holdsOf = (negotiationId: string): Promise<Record<string, unknown>[]> =>
  scene.sql(
    `SELECT h.reason, h.placed_by, h.released_at, h.contract_id FROM v402.hold h JOIN v402.deal d ON d.key = h.deal_key
     WHERE d.negotiation_id = $1 ORDER BY h.placed_at`,
    [negotiationId],
  );

const typesOf = (events: readonly StoredDocument[]): string[] =>
  events.map(({ type }) => type.replace(/^org\.v402\.(.*)\.v1$/, '$1'));

/** Whatever a settlement may have but its own row. */
const rowsOf = async ({ contractId }: AgreedTrade): Promise<number> => {
  const tables = ['order_placement', 'payment_leg', 'delivery', 'work'];
  const rows = await Promise.all(tables.map((table) => scene.of(table, contractId)));
  return rows.flat().length;
};

/** As when an order's intent is recorded: it may exist from here on. */
const startOrder = ({ contractId }: AgreedTrade): Promise<void> =>
  scene.unitOfWork.run(async (tx) => {
    await tx.settlements.lock([contractId]);
    const [first] = await tx.orders.ofSettlements([contractId]);
    await tx.orders.save([{ ...first!, state: 'placing', attempt: 1 }]);
    await tx.settlements.deriveStates([contractId]);
  });

/** Per topic from 1 without gaps; times strictly increasing. */
const expectInOrder = (events: readonly StoredDocument[]): void => {
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  const times = events.map(({ occurredAt }) => occurredAt);
  expect(times.filter((time, index) => index > 0 && time <= times[index - 1]!)).toEqual([]);
};

describe('equivocation', () => {
  test('the second contract is quarantined with both documents, and the deal is held', async () => {
    const first = agreed({ negotiationId: 'equivocal' });
    const second = variant('second', { negotiationId: 'equivocal' });
    await scene.handle(first.envelope);
    expect(await scene.handle(second.envelope)).toMatchObject({ accepted: 0, quarantined: 1 });

    const documents = await scene.sql<{ bytes: Buffer; first: Buffer }>(
      `SELECT r.bytes, r1.bytes AS first FROM v402.quarantine q
       JOIN v402.raw_message r ON r.digest = q.raw_digest
       JOIN v402.decision d1 ON d1.contract_id = q.conflicts_with
       JOIN v402.raw_message r1 ON r1.digest = d1.raw_digest
       WHERE q.contract_id = $1 AND q.reason = 'equivocation' AND q.code = 'negotiation_conflict'`,
      [Buffer.from(second.contractId, 'hex')],
    );
    expect(documents).toEqual([{ bytes: Buffer.from(second.envelope), first: Buffer.from(first.envelope) }]);
    const [entry] = await scene.of('quarantine', second.contractId);
    expect(await scene.sql('SELECT id FROM v402.hold WHERE released_at IS NULL')).toEqual([{ id: entry!['hold_id'] }]);
    expect(await scene.of('decision', second.contractId)).toMatchObject([
      { outcome: 'quarantined', code: 'negotiation_conflict' },
    ]);
    expect(await stateOf(second)).toBeUndefined();
    expect(await rowsOf(second)).toBe(0);
    expect(await stateOf(first)).toEqual(['accepted', true]);

    const events = await scene.events(first.contractId);
    expect(typesOf(events)).toEqual(['settlement.accepted', 'hold.placed']);
    expectInOrder(events);
    expect(events[1]).toMatchObject({
      isInOutbox: true,
      document: {
        data: {
          holdId: entry!['hold_id'],
          reason: 'equivocation',
          evidence: { conflictingContractId: second.contractId, rawDigest: sha256(second.envelope) },
        },
      },
    });
    expect(await scene.events(second.contractId, 'rejections')).toMatchObject([
      {
        type: 'org.v402.contract.quarantined.v1',
        sequence: null,
        document: { data: { contractId: second.contractId, conflictsWith: first.contractId, held: true } },
      },
    ]);
  });

  test('a quarantined contract that comes again is counted on its entry, whatever its signatures', async () => {
    const first = agreed({ negotiationId: 'repeated' });
    const second = variant('second', { negotiationId: 'repeated' });
    expect(await scene.handle(first.envelope, second.envelope, second.envelope)).toMatchObject({
      accepted: 1,
      quarantined: 2,
    });
    const unsigned = JSON.stringify({ contract: second.contract, signatures: [] });
    expect(await scene.handle(second.envelope, unsigned)).toMatchObject({ quarantined: 2, rejected: 0 });
    expect(await scene.of('quarantine', second.contractId)).toMatchObject([{ occurrences: 4 }]);
    expect(await holdsOf('repeated')).toHaveLength(1);
    expect(await scene.events(second.contractId, 'rejections')).toHaveLength(1);
    expect(typesOf(await scene.events(first.contractId))).toEqual(['settlement.accepted', 'hold.placed']);
  });

  test('an old signed draft is no weapon: one that had expired on arrival is quarantined without a hold', async () => {
    const first = agreed({ negotiationId: 'old-draft' });
    const draft = variant('draft', { negotiationId: 'old-draft', expiresAt: addSeconds(first.contract.agreedAt, 1) });
    expect(await scene.handle(first.envelope, draft.envelope)).toMatchObject({ accepted: 1, quarantined: 1 });
    expect(await scene.of('quarantine', draft.contractId)).toMatchObject([{ hold_id: null }]);
    expect(await holdsOf('old-draft')).toEqual([]);
    expect((await scene.events(draft.contractId, 'rejections'))[0]!.document.data['held']).toBe(false);
  });

  test('with the policy to continue nothing is held', async () => {
    const first = agreed({ negotiationId: 'continue' });
    const second = variant('second', { negotiationId: 'continue' });
    const handler = scene.handlerWith({ policy: { conflict: 'continue' } });
    const batch = [first, second].map(({ envelope }) => scene.message(envelope));
    expect(await handler.handle(batch)).toMatchObject({ accepted: 1, quarantined: 1 });
    expect(await holdsOf('continue')).toEqual([]);
    expect(typesOf(await scene.events(first.contractId))).toEqual(['settlement.accepted']);
  });

  test('an unsigned second contract is refused, not quarantined: anybody could send one', async () => {
    const first = agreed({ negotiationId: 'forged' });
    const forged = variant('forged', { negotiationId: 'forged' });
    const unsigned = JSON.stringify({ contract: forged.contract, signatures: [] });
    expect(await scene.handle(first.envelope, unsigned)).toMatchObject({ accepted: 1, rejected: 1, quarantined: 0 });
    expect(await holdsOf('forged')).toEqual([]);
  });

  test('the same negotiation id between other parties is another deal, a party of another name the same one', async () => {
    const first = agreed({ negotiationId: 'shared' });
    const others = agreed(
      { negotiationId: 'shared', parties: { buyer: { id: 'did:web:other-buyer.example' } } },
      { ...SIGNERS, buyer: testKey('other-eip712-1') },
    );
    const buyer = { id: first.contract.parties.buyer.id, name: 'Renamed GmbH' };
    const renamed = agreed({ negotiationId: 'shared', parties: { buyer } });
    expect(await scene.handle(first.envelope, others.envelope, renamed.envelope)).toMatchObject({
      accepted: 2,
      quarantined: 1,
    });
    expect(await scene.of('quarantine', renamed.contractId)).toMatchObject([
      { conflicts_with: Buffer.from(first.contractId, 'hex') },
    ]);
  });
});

describe('an amendment before anything has started', () => {
  test('takes the place of its base, whose rows and work end; the order keeps its reference', async () => {
    const base = agreed({ negotiationId: 'replaced', payment: [{ rail: 'sepa', trigger: 'agreed' }] });
    await scene.handle(base.envelope);
    const amendment = variant('amended', { negotiationId: 'replaced', supersedes: base.contractId });
    expect(await scene.handle(amendment.envelope)).toMatchObject({ accepted: 1, quarantined: 0 });

    expect(await stateOf(base)).toEqual(['superseded', false]);
    expect(await stateOf(amendment)).toEqual(['accepted', true]);
    for (const table of ['order_placement', 'payment_leg', 'delivery']) {
      const rows = await scene.of<{ state: string; revision: number }>(table, base.contractId);
      expect(rows.map(({ state, revision }) => [state, revision])).toEqual([
        ['superseded', 1],
        ['superseded', 1],
      ]);
    }
    expect(await scene.of('work', base.contractId)).toEqual([]);
    expect(await scene.of('work', amendment.contractId)).toHaveLength(2);
    expect(await scene.of('settlement', amendment.contractId)).toMatchObject([
      {
        short_ref: amendment.shortRef,
        order_reference: base.shortRef,
        supersedes: Buffer.from(base.contractId, 'hex'),
      },
    ]);
    expect(await holdsOf('replaced')).toEqual([]);

    const events = await scene.events(base.contractId);
    expect(typesOf(events)).toEqual(['settlement.accepted', 'settlement.superseded']);
    expectInOrder(events);
    expect(events[1]!.document.data['supersededBy']).toBe(amendment.contractId);
    const [accepted] = await scene.events(amendment.contractId);
    expect(accepted!.document.data).toMatchObject({ supersedes: base.contractId, reference: base.shortRef });
  });

  test('even where a leg is already scheduled: nothing was asked for yet', async () => {
    const base = agreed({ negotiationId: 'scheduled', payment: [{ rail: 'sepa', trigger: 'agreed', days: 30 }] });
    await scene.handle(base.envelope);
    await scene.unitOfWork.run(async (tx) => {
      const legs = await tx.legs.ofSettlements([base.contractId]);
      await tx.legs.save(legs.map((leg) => ({ ...leg, state: 'scheduled' as const, dueDate: '2026-12-21' })));
    });
    const amendment = variant('amended', { negotiationId: 'scheduled', supersedes: base.contractId });
    expect(await scene.handle(amendment.envelope)).toMatchObject({ accepted: 1 });
    expect(await scene.of('payment_leg', base.contractId)).toMatchObject([
      { state: 'superseded' },
      { state: 'superseded' },
    ]);
  });

  test('in the same batch as its base', async () => {
    const base = agreed({ negotiationId: 'together' });
    const amendment = variant('amended', { negotiationId: 'together', supersedes: base.contractId });
    const beside = agreed({ negotiationId: 'together-beside' });
    const batch = [base.envelope, beside.envelope, amendment.envelope, base.envelope];
    expect(await scene.handle(...batch)).toMatchObject({ accepted: 3, duplicates: 1 });
    expect(await stateOf(base)).toEqual(['superseded', false]);
    expect(await stateOf(amendment)).toEqual(['accepted', true]);
    expect(await stateOf(beside)).toEqual(['accepted', true]);
    expect(await scene.of('work', base.contractId)).toEqual([]);
    expectInOrder(await scene.events(base.contractId));
  });

  test('a chain of three in one batch: the last one stands, under the first one’s reference', async () => {
    const one = agreed({ negotiationId: 'chain' });
    const two = variant('two', { negotiationId: 'chain', supersedes: one.contractId });
    const three = variant('three', { negotiationId: 'chain', supersedes: two.contractId });
    expect(await scene.handle(one.envelope, two.envelope, three.envelope)).toMatchObject({ accepted: 3 });
    expect(await Promise.all([one, two, three].map(stateOf))).toEqual([
      ['superseded', false],
      ['superseded', false],
      ['accepted', true],
    ]);
    expect(await scene.of('settlement', three.contractId)).toMatchObject([{ order_reference: one.shortRef }]);
    expect(await rowsOf(three)).toBe(8);
    for (const each of [one, two]) {
      const events = await scene.events(each.contractId);
      expect(typesOf(events)).toEqual(['settlement.accepted', 'settlement.superseded']);
      expectInOrder(events);
    }
  });

  test('one whose base is no longer the current contract is an equivocation', async () => {
    const one = agreed({ negotiationId: 'fork' });
    const two = variant('two', { negotiationId: 'fork', supersedes: one.contractId });
    const fork = variant('fork', { negotiationId: 'fork', supersedes: one.contractId });
    expect(await scene.handle(one.envelope, two.envelope, fork.envelope)).toMatchObject({
      accepted: 2,
      quarantined: 1,
    });
    expect(await scene.of('quarantine', fork.contractId)).toMatchObject([
      { conflicts_with: Buffer.from(two.contractId, 'hex') },
    ]);
    expect(await holdsOf('fork')).toMatchObject([{ contract_id: Buffer.from(two.contractId, 'hex') }]);
  });

  test('one that comes before its base is refused, and accepted when it is sent again', async () => {
    const base = agreed({ negotiationId: 'early' });
    const amendment = variant('amended', { negotiationId: 'early', supersedes: base.contractId });
    expect(await scene.handle(amendment.envelope)).toMatchObject({ rejected: 1 });
    expect(await scene.of('rejection', amendment.contractId)).toMatchObject([
      { code: 'superseded_unknown', fault_at: '/contract/supersedes' },
    ]);
    expect(await scene.handle(base.envelope, amendment.envelope)).toMatchObject({ accepted: 2 });
    expect(await stateOf(amendment)).toEqual(['accepted', true]);
  });

  test('one that names a contract of another deal is refused', async () => {
    const other = agreed({ negotiationId: 'other-deal' });
    await scene.handle(other.envelope);
    const amendment = agreed({ negotiationId: 'not-that-deal', supersedes: other.contractId });
    expect(await scene.handle(amendment.envelope)).toMatchObject({ rejected: 1 });
    expect(await stateOf(other)).toEqual(['accepted', true]);
  });
});

test('an amendment after the start is accepted and held for an operator, and asks for nothing a second time', async () => {
  const base = agreed({ negotiationId: 'started' });
  await scene.handle(base.envelope);
  await startOrder(base);
  const amendment = variant('amended', { negotiationId: 'started', supersedes: base.contractId });
  expect(await scene.handle(amendment.envelope)).toMatchObject({ accepted: 1, quarantined: 0 });

  expect(await stateOf(base)).toEqual(['ordering', false]);
  expect(await stateOf(amendment)).toEqual(['accepted', true]);
  // The base may have asked for payments already: the amendment has its rows, but no work until a person has decided.
  expect(await scene.of('payment_leg', amendment.contractId)).not.toEqual([]);
  expect(await scene.of('work', amendment.contractId)).toEqual([]);
  expect(await holdsOf('started')).toMatchObject([
    { reason: 'amendment_after_start', placed_by: 'intake', released_at: null },
  ]);
  expect(typesOf(await scene.events(base.contractId))).toEqual(['settlement.accepted']);
  const events = await scene.events(amendment.contractId);
  expect(typesOf(events)).toEqual(['settlement.accepted', 'hold.placed']);
  expectInOrder(events);
  expect(events[1]!.document.data['evidence']).toEqual({
    baseContractId: base.contractId,
    amendmentContractId: amendment.contractId,
  });
});

test('an amendment of an amendment after the start is held, too, whether they come together or not', async () => {
  const chainOf = async (negotiationId: string, together: boolean): Promise<void> => {
    const base = agreed({ negotiationId });
    await scene.handle(base.envelope);
    await scene.sql("UPDATE v402.order_placement SET state = 'placing' WHERE contract_id = decode($1, 'hex')", [
      base.contractId,
    ]);
    const first = variant(`${negotiationId}-first`, { negotiationId, supersedes: base.contractId });
    const second = variant(`${negotiationId}-second`, { negotiationId, supersedes: first.contractId });
    if (together) await scene.handle(first.envelope, second.envelope);
    else for (const { envelope } of [first, second]) await scene.handle(envelope);
    expect(await stateOf(second)).toEqual(['accepted', true]);
    expect(await scene.of('work', second.contractId)).toEqual([]);
    const holds = "SELECT reason FROM v402.hold WHERE contract_id = decode($1, 'hex')";
    expect(await scene.sql(holds, [second.contractId])).toEqual([{ reason: 'amendment_after_start' }]);
  };
  await chainOf('one-by-one', false);
  await chainOf('at-once', true);
});

test('whatever happens to a settlement in one batch, its events have gapless sequences and increasing times', async () => {
  const base = agreed({ negotiationId: 'busy' });
  const conflicts = ['one', 'two', 'three'].map((name) => variant(name, { negotiationId: 'busy' }));
  const amendment = variant('amended', { negotiationId: 'busy', supersedes: base.contractId });
  await scene.handle(base.envelope, ...conflicts.map(({ envelope }) => envelope), amendment.envelope);
  await scene.handle(variant('four', { negotiationId: 'busy' }).envelope);
  const events = await scene.events(base.contractId);
  expect(typesOf(events)).toEqual([
    'settlement.accepted',
    'hold.placed',
    'hold.placed',
    'hold.placed',
    'settlement.superseded',
  ]);
  expectInOrder(events);
  expectInOrder(await scene.events(amendment.contractId));
  expect(await scene.of('settlement', base.contractId)).toMatchObject([{ settlement_sequence: 5 }]);
  expect(await holdsOf('busy')).toHaveLength(4);
});
