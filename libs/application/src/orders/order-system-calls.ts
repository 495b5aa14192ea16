import { RetryableError } from '@v402/domain';
import type { CreateOutcome, OrderDraft, OrderSystem } from '../ports/order-system.js';
import { orderDifferences } from './compare-order.js';
import type { OrderCase } from './order-case.js';
import type { OrderOutcome } from './outcome.js';

/**
 * Asks the order system to create the order, until the deadline at the latest. Whatever happens after the call began and
 * is no clear answer is `unknown`: the order may exist.
 */
export async function createOrder(system: OrderSystem, order: OrderCase, remainingMs: number): Promise<OrderOutcome> {
  if (remainingMs <= 0) return { kind: 'not_written', code: 'deadline_before_call', retryAfterMs: undefined };
  const signal = AbortSignal.timeout(remainingMs);
  const { draft, placement, claim } = order;
  const callUntil = claim.leaseUntil;
  const outcome = await orDeadline(
    system.create(draft, { attempt: placement.attempt, signal }).catch((): CreateOutcome => ({
      outcome: 'unknown',
      code: 'adapter_failed',
    })),
    signal,
  );
  switch (outcome.outcome) {
    case 'created':
      return { kind: 'created', order: outcome.order };
    case 'already_exists':
      return (await confirmOrder(system, draft, signal)) ?? { kind: 'unknown', code: 'order_not_readable', callUntil };
    case 'rejected':
      return { kind: 'rejected', code: outcome.code, issues: [] };
    case 'retryable':
      return { kind: 'not_written', code: outcome.code, retryAfterMs: outcome.retryAfterMs };
    case 'unknown':
      return { kind: 'unknown', code: outcome.code, callUntil };
  }
}

/** An adapter that does not heed its signal must not hold its lease hostage. */
function orDeadline(call: Promise<CreateOutcome>, signal: AbortSignal): Promise<CreateOutcome> {
  const deadline = new Promise<CreateOutcome>((resolve) => {
    signal.addEventListener('abort', () => {
      // The adapter's own answer to the signal is more precise, so it gets one turn of the event loop to give it.
      setImmediate(() => {
        resolve({ outcome: 'unknown', code: 'deadline_exceeded' });
      });
    });
  });
  return Promise.race([call, deadline]);
}

/**
 * Reads an order back that exists under our reference: only one that is what was agreed is ours.
 * @returns undefined where it cannot be read now; it may well be ours, and a later look-up will tell
 */
async function confirmOrder(
  system: OrderSystem,
  draft: OrderDraft,
  signal: AbortSignal,
): Promise<OrderOutcome | undefined> {
  const snapshot = await system.readBack(draft, signal).catch(() => undefined);
  if (snapshot === undefined) return undefined;
  const { orderNumber, url } = snapshot;
  if (orderDifferences(draft, snapshot).length > 0) return { kind: 'different', code: 'order_differs' };
  return { kind: 'created', order: { orderNumber, ...(url !== undefined && { url }) } };
}

/** Finds out what became of an order whose outcome is unknown, once nothing can take effect late any more. */
export async function lookUpOrder(
  system: OrderSystem,
  { draft, claim }: OrderCase,
  limits: { readonly callTimeoutMs: number; readonly maxLookUps: number },
): Promise<OrderOutcome> {
  const signal = AbortSignal.timeout(limits.callTimeoutMs);
  try {
    const { found } = await system.findByReference(draft, signal);
    switch (found) {
      case 'none':
        return system.capabilities.uniqueRef === 'none'
          ? { kind: 'unresolved', code: 'not_found_and_not_unique' }
          : { kind: 'not_written', code: 'not_found', retryAfterMs: 0 };
      case 'many':
        return { kind: 'different', code: 'reference_used_twice' };
      case 'one':
        return (await confirmOrder(system, draft, signal)) ?? { kind: 'not_looked_up' };
    }
  } catch (error) {
    const hopeless = !(error instanceof RetryableError) && claim.attempts >= limits.maxLookUps;
    return hopeless ? { kind: 'unresolved', code: 'look_up_failed' } : { kind: 'not_looked_up' };
  }
}
