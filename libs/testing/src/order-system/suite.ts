import { orderDifferences, type OrderDraft, type OrderSystem, type OrderSystemCapabilities } from '@v402/application';
import { buildOrderDraft, type OrderDraftOptions } from '../order-draft.builder.js';
import type { OrderSystemFixture } from './fixture.js';

/** What the parts of the suite share. The system is there once the tests run, not yet when they are registered. */
export interface SuiteContext {
  readonly capabilities: OrderSystemCapabilities;
  readonly fixture: () => OrderSystemFixture;
  readonly system: () => OrderSystem;
}

/** No call of the suite takes this long. */
export const inTime = (): AbortSignal => AbortSignal.timeout(30_000);
export const options = (signal = inTime()): { attempt: number; signal: AbortSignal } => ({ attempt: 1, signal });

let drafts = 0;
/** A draft with a reference that no other has, unless one is given. */
export const newDraft = (draft: OrderDraftOptions = {}): OrderDraft => {
  drafts += 1;
  return buildOrderDraft({ negotiationId: `conformance-${process.pid}-${Date.now()}-${drafts}`, ...draft });
};

/** Creates an order that has to succeed, and reads it back the same. */
export const createWhole = async (system: OrderSystem, draft: OrderDraft): Promise<string> => {
  expect(await system.preflight(draft)).toEqual([]);
  const outcome = await system.create(draft, options());
  expect(outcome).toMatchObject({ outcome: 'created' });
  const snapshot = await system.readBack(draft, inTime());
  if (outcome.outcome !== 'created' || snapshot === undefined) throw new Error('The order was not created.');
  expect(orderDifferences(draft, snapshot)).toEqual([]);
  expect(snapshot).toMatchObject({ kind: draft.kind, reference: draft.reference, ...outcome.order });
  return outcome.order.orderNumber;
};
