import {
  AcceptContractsHandler,
  PlaceOrdersHandler,
  rejectionKey,
  type OrderPlacement,
  type OrderPlacementKey,
  type Transaction,
} from '@v402/application';
import { PgUnitOfWork } from '@v402/persistence';
import { DecoratedUnitOfWork, type StoreOverrides } from '@v402/testing';
import type { FleetRole } from '../system/role-messages.js';

/**
 * The guards that a control takes out, one at a time, to see whether the oracle notices. Nothing in the product can switch
 * one off: a control changes the program while it runs.
 */
export const GUARDS = [
  'inbox_key',
  'deal_lock',
  'settlement_lock',
  'epoch',
  'intent_before_call',
  'deadline_before_lease_end',
  'wait_before_look_up',
  'offsets_after_commit',
  'input_marks',
  'refusal_key',
  'hold_check_of_requests',
  'hold_check_of_orders',
  'second_look',
  'relay_order',
  'mark_after_acknowledgement',
] as const;

export type Guard = (typeof GUARDS)[number];

/** Guards that two roles have, and that are taken out of one of them. */
const ROLES_OF: Readonly<Partial<Record<Guard, FleetRole>>> = {
  hold_check_of_requests: 'workflows',
  hold_check_of_orders: 'orders',
};

/** What of the database's own backstops has to go, too, for a guard's absence to do harm. */
export const BACKSTOPS: Readonly<Partial<Record<Guard, string>>> = {
  deal_lock: 'DROP INDEX v402.settlement_current',
  settlement_lock: 'DROP INDEX v402.event_place',
};

/**
 * Takes a guard out of this process, where its role has it.
 * @param onPassed called whenever the process comes to where the guard would be: one that is never passed is not taken out
 */
export function removeGuard(guard: Guard, role: FleetRole, onPassed: () => void): void {
  if ((ROLES_OF[guard] ?? role) !== role) return;
  switch (guard) {
    case 'offsets_after_commit':
      forgetBatches(onPassed);
      // Otherwise intake begins at its marks, whatever was committed.
      decorateStores(OVERRIDES.input_marks(), () => undefined);
      return;
    case 'deadline_before_lease_end':
      stopClock(onPassed);
      return;
    case 'input_marks':
    case 'inbox_key':
    case 'deal_lock':
    case 'settlement_lock':
    case 'epoch':
    case 'intent_before_call':
    case 'wait_before_look_up':
    case 'refusal_key':
    case 'hold_check_of_requests':
    case 'hold_check_of_orders':
    case 'second_look':
    case 'relay_order':
    case 'mark_after_acknowledgement':
      decorateStores(OVERRIDES[guard](), onPassed);
  }
}

const OVERRIDES: Readonly<
  Record<Exclude<Guard, 'offsets_after_commit' | 'deadline_before_lease_end'>, () => StoreOverrides>
> = {
  input_marks: () => ({ input: () => ({ marks: () => Promise.resolve([]) }) }),
  inbox_key: () => ({
    settlements: () => ({ accepted: () => Promise.resolve(new Set()), lockOfDeals: () => Promise.resolve([]) }),
  }),
  deal_lock: () => ({ deals: () => ({ lock: () => Promise.resolve() }) }),
  settlement_lock: () => ({ settlements: (real) => ({ lock: (ids) => real.read(ids) }) }),
  epoch: () => ({ work: () => ({ confirm: (claims) => Promise.resolve(claims) }) }),
  intent_before_call: intentsInMemory,
  wait_before_look_up: () => ({
    orders: (real) => ({ save: (rows) => real.save(rows.map((row) => ({ ...row, lookUpNotBefore: undefined }))) }),
    work: (real) => ({ postpone: (items) => real.postpone(items.map((item) => ({ ...item, dueAt: 0n }))) }),
  }),
  refusal_key: () => ({
    evidence: (real) => ({
      recordRejections: async (rejections) => {
        await real.recordRejections(rejections);
        return new Set(rejections.map(rejectionKey));
      },
    }),
  }),
  hold_check_of_requests: withoutHolds,
  hold_check_of_orders: withoutHolds,
  second_look: () => ({ cases: () => ({ lock: (one) => Promise.resolve(one) }) }),
  relay_order: () => ({
    events: (real) => ({
      unpublished: async (shards, limit) => [...(await real.unpublished(shards, limit))].reverse(),
    }),
  }),
  mark_after_acknowledgement: () => ({
    events: (real) => ({
      unpublished: async (shards, limit) => {
        const read = await real.unpublished(shards, limit);
        await real.markPublished(read);
        return read;
      },
      markPublished: () => Promise.resolve(),
    }),
  }),
};

function withoutHolds(): StoreOverrides {
  return { deals: () => ({ held: () => Promise.resolve(new Set()) }) };
}

/** The intent is kept where a kill takes it along. */
function intentsInMemory(): StoreOverrides {
  const intended = new Map<string, OrderPlacement>();
  const keyOf = ({ contractId, side }: OrderPlacementKey): string => `${contractId} ${side}`;
  return {
    orders: (real: Transaction['orders']) => ({
      save: async (rows) => {
        for (const row of rows) {
          if (row.state === 'placing') intended.set(keyOf(row), row);
          else intended.delete(keyOf(row));
        }
        await real.save(rows.filter(({ state }) => state !== 'placing'));
      },
      ofSettlements: async (ids) =>
        (await real.ofSettlements(ids)).map((row) =>
          row.state === 'waiting' ? (intended.get(keyOf(row)) ?? row) : row,
        ),
    }),
  };
}

type Run = PgUnitOfWork['run'];

function decorateStores(overrides: StoreOverrides, onPassed: () => void): void {
  const run = Reflect.get(PgUnitOfWork.prototype, 'run');
  const decorated: Run = function <T>(this: PgUnitOfWork, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const real = { run: <U>(inner: (tx: Transaction) => Promise<U>) => run.call(this, inner) as Promise<U> };
    return new DecoratedUnitOfWork(real, overrides, onPassed).run(work);
  };
  Reflect.set(PgUnitOfWork.prototype, 'run', decorated);
}

/** A batch counts as handled before it is. */
function forgetBatches(onPassed: () => void): void {
  const handle = Reflect.get(AcceptContractsHandler.prototype, 'handle');
  const nothing = { accepted: 0, duplicates: 0, rejected: 0, quarantined: 0, undecidable: 0, refusals: new Map() };
  const forgetful: typeof handle = function (this: AcceptContractsHandler, messages) {
    onPassed();
    void handle.call(this, messages).catch(() => undefined);
    return Promise.resolve(nothing);
  };
  Reflect.set(AcceptContractsHandler.prototype, 'handle', forgetful);
}

/** The monotonic clock of the calls stands still: no deadline ever passes. */
function stopClock(onPassed: () => void): void {
  const begin = Reflect.get(PlaceOrdersHandler.prototype, 'begin');
  const timeless = function (this: PlaceOrdersHandler): Promise<number> {
    if (!Reflect.has(this, 'clock')) throw new TypeError('PlaceOrdersHandler has no clock to stop.');
    const nowMs = (): number => {
      onPassed();
      return 0;
    };
    Reflect.set(this, 'clock', { nowMs });
    return begin.call(this);
  };
  Reflect.set(PlaceOrdersHandler.prototype, 'begin', timeless);
}
