import type { CreateOutcome, OrderDraft } from '@v402/application';
import { EmbeddedOrderSystem, type TransactionHooks } from '@v402/order-systems';
import type { BackOffice } from './back-office.js';
import type { AgreedTrade } from './intake-scene.js';
import type { RecordedAlarms } from './seams.js';

export type LiveHooks = { -readonly [Name in keyof TransactionHooks]: TransactionHooks[Name] };

/** The embedded order book of an office. Its hooks are asked for each time, so that a test may change them as it goes. */
export const orderBook = (office: BackOffice, hooks: () => LiveHooks = () => ({})): EmbeddedOrderSystem =>
  new EmbeddedOrderSystem({
    url: office.database.orderbookUrl,
    hooks: {
      beforeCommit: async () => hooks().beforeCommit?.(),
      afterCommit: async () => hooks().afterCommit?.(),
    },
  });

/** A script's answer to every create. */
export const answer =
  (outcome: CreateOutcome): (() => Promise<CreateOutcome>) =>
  () =>
    Promise.resolve(outcome);

export const UNKNOWN = { outcome: 'unknown', code: 'connection_reset' } as const;

/** The seller's order of a contract, as it is asked for. */
export const draftOf = ({ contractId, shortRef, contract }: AgreedTrade): OrderDraft => ({
  kind: 'sales_order',
  reference: shortRef,
  contractId,
  contract,
});

export const expectMismatch = (
  office: BackOffice,
  accepted: AgreedTrade,
  code: string,
  alarms: RecordedAlarms,
): Promise<void> =>
  expectLeftToPerson(office, accepted, { state: 'mismatched', reason: 'order_mismatch', code }, alarms);

/** The order is a person's to decide: quarantined, with the hold that it caused. */
export async function expectLeftToPerson(
  office: BackOffice,
  accepted: AgreedTrade,
  { state, reason, code }: { state: 'mismatched' | 'unresolved'; reason: string; code: string },
  alarms: RecordedAlarms,
): Promise<void> {
  expect(await office.placement(accepted)).toMatchObject({ state, code, orderNumber: null });
  expect((await office.eventTypes(accepted, 'order.')).filter((type) => type === 'order.created.v1')).toEqual([]);
  const [hold, ...more] = await office.holds(accepted);
  expect(more).toEqual([]);
  expect(hold).toMatchObject({ reason, open: true, evidence: { side: 'seller', code } });
  const quarantined = await office.sql(
    'SELECT reason, code, side, hold_id AS hold FROM v402.quarantine WHERE contract_id = $1',
    Buffer.from(accepted.contractId, 'hex'),
  );
  expect(quarantined).toEqual([{ reason, code, side: 'seller', hold: hold?.id }]);
  expect(await office.events(accepted, 'hold.')).toMatchObject([
    { type: 'org.v402.hold.placed.v1', data: { holdId: hold?.id, reason, evidence: { side: 'seller', code } } },
  ]);
  expect(await office.work(accepted, 'order')).toEqual([]);
  const alarm = state === 'mismatched' ? 'order_mismatch' : 'order_unresolved';
  expect(alarms.raised).toMatchObject([{ code: alarm, context: { side: 'seller' } }]);
  expect(await office.settlementState(accepted)).toBe('order_unknown');
}
