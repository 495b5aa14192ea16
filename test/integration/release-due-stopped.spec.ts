import type { PaymentAccounts, ReleaseDueHandler } from '@v402/application';
import { TerminalError } from '@v402/domain';
import { ApprovedAccounts, BackOffice, CARD_AT_ONCE, RECHECK_MS } from '../support/back-office.js';
import type { AgreedTrade } from '../support/intake-scene.js';
import { DoesAt, RecordedAlarms } from '../support/seams.js';
import { SELLER } from '../support/trade.js';

/** What is not asked for. Real: PostgreSQL, intake. */
let office: BackOffice;

beforeAll(async () => {
  office = await BackOffice.open();
});
beforeEach(() => office.dropWork());
afterAll(() => office.close());

describe('what stops a release', () => {
  test('a hold: nothing goes out until it is released', async () => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    await office.hold(accepted);
    const handler = office.workflows();
    expect(await handler.handle()).toBe(1);
    await office.makeDue();
    await handler.handle();
    expect(await office.events(accepted, 'payment.')).toEqual([]);
    await office.releaseHolds(accepted);
    await office.makeDue();
    await handler.handle();
    expect(await office.eventTypes(accepted, 'payment.')).toEqual(['payment.scheduled.v1', 'payment.requested.v1']);
  });

  test('an amendment that comes between claim and release: only its own legs are asked for', async () => {
    const base = await office.accept(CARD_AT_ONCE, ['seller']);
    let amendment: AgreedTrade | undefined;
    const faults = new DoesAt('C3', async () => {
      const { negotiationId } = base.contract;
      const draft = { ...CARD_AT_ONCE, negotiationId, supersedes: base.contractId } as const;
      amendment = await office.accept({ ...draft, charges: [{ type: 'freight', amount: '5.00' }] }, ['seller']);
    });
    await office.workflows({ faults }).handle();
    await office.workflows().handle();
    expect(await office.events(base, 'payment.')).toEqual([]);
    expect(await office.legs(base)).toMatchObject([{ state: 'superseded' }]);
    expect(await office.events(amendment!, 'payment.requested')).toMatchObject([
      { data: { amount: { amount: '622.00', currency: 'EUR' } } },
    ]);
  });

  test('a contract that is no longer current', async () => {
    const accepted = await office.accept(CARD_AT_ONCE, ['seller']);
    await office.sql(
      'UPDATE v402.settlement SET current = false WHERE contract_id = $1',
      Buffer.from(accepted.contractId, 'hex'),
    );
    await office.workflows().handle();
    expect(await office.events(accepted, 'payment.')).toEqual([]);
  });
});

describe('what cannot be released', () => {
  const requestsOf = async (accepted: readonly AgreedTrade[]): Promise<number[]> => {
    const events = await Promise.all(accepted.map((each) => office.events(each, 'payment.requested')));
    return events.map(({ length }) => length);
  };
  /** Expects the one claim to be put off and said, once per round, and the other twenty to be done in the first. */
  const expectOnePutOff = async (
    handler: ReleaseDueHandler,
    alarms: RecordedAlarms,
    [broken, ...others]: readonly AgreedTrade[],
    context: Record<string, string>,
  ): Promise<void> => {
    const said = {
      code: 'release_failed',
      context: { contractId: broken!.contractId, kind: 'payment_leg', subjectId: 'p1', ...context },
    };
    const before = await office.now();
    expect(await handler.handle()).toBe(21);
    expect(await requestsOf(others)).toEqual(Array<number>(20).fill(1));
    expect(await requestsOf([broken!])).toEqual([0]);
    expect(alarms.take()).toEqual([said]);
    const [putOff, ...rest] = await office.work(broken!, 'payment_leg');
    expect(rest).toEqual([]);
    expect(putOff).toMatchObject({ leaseUntil: null, attempts: 1 });
    expect(putOff!.dueAt).toBeGreaterThanOrEqual(before + BigInt(RECHECK_MS) * 1_000n);
    expect(await handler.handle()).toBe(0);
    await office.makeDue();
    expect(await handler.handle()).toBe(1);
    expect(alarms.take()).toEqual([said]);
  };

  test('a settlement whose contract cannot be read holds up none of its batch', async () => {
    const accepted = await office.acceptAll(
      Array.from({ length: 21 }, () => CARD_AT_ONCE),
      ['seller'],
    );
    const id = Buffer.from(accepted[0]!.contractId, 'hex');
    const canonical = (
      await office.sql<{ canonical: Buffer }>('SELECT canonical FROM v402.settlement WHERE contract_id = $1', id)
    )[0]!.canonical;
    const write = (bytes: Buffer): Promise<unknown> =>
      office.sql('UPDATE v402.settlement SET canonical = $2 WHERE contract_id = $1', id, bytes);
    await write(canonical.subarray(1));
    const alarms = new RecordedAlarms();
    const handler = office.workflows({ alarms });
    await expectOnePutOff(handler, alarms, accepted, { side: 'seller', reason: 'contract_unreadable' });

    await write(canonical);
    await office.makeDue();
    await handler.handle();
    expect(await requestsOf(accepted)).toEqual(Array<number>(21).fill(1));
    expect(await office.work(accepted[0]!, 'payment_leg')).toEqual([]);
  });

  test('accounts that cannot be asked stop the payment that needs one, and no other', async () => {
    const sepa = { payment: [{ rail: 'sepa', trigger: 'agreed' }] } as const;
    const accepted = await office.acceptAll([sepa, ...Array.from({ length: 20 }, () => CARD_AT_ONCE)], ['buyer']);
    const accounts = new ApprovedAccounts();
    let canBeAsked = false;
    const asked: PaymentAccounts = {
      approved: (...about) => {
        if (canBeAsked) return accounts.approved(...about);
        throw new TerminalError('payment_accounts_invalid', 'The file of the approved accounts cannot be read.');
      },
    };
    const alarms = new RecordedAlarms();
    const handler = office.workflows({ accounts: asked, alarms });
    await expectOnePutOff(handler, alarms, accepted, { side: 'buyer', reason: 'payment_accounts_invalid' });
    expect(await office.legs(accepted[0]!)).toMatchObject([{ state: 'waiting', code: null }]);

    canBeAsked = true;
    accounts.approve(SELLER, 'sepa', 'EUR', { scheme: 'iban', identification: 'DE02120300000000202051' });
    await office.makeDue();
    await handler.handle();
    expect(await requestsOf(accepted)).toEqual(Array<number>(21).fill(1));
  });
});
