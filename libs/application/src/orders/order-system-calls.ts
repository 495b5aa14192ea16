import { codeOf } from '@v402/domain';
import type { CreateOutcome, OrderDraft, OrderSystem } from '../ports/order-system.js';
import { answerOf } from './answer-of.js';
import { orderDifferences } from './compare-order.js';
import type { OrderCase } from './order-case.js';
import { ORDER_NOT_READABLE, type OrderOutcome } from './outcome.js';

/**
 * Says what the order system could not hold, before anything is sent.
 * @returns undefined where nothing stands against the order
 */
export async function preflightOrder(
  system: OrderSystem,
  draft: OrderDraft,
  timeoutMs: number,
): Promise<OrderOutcome | undefined> {
  try {
    const issues = await answerOf(AbortSignal.timeout(timeoutMs), () => system.preflight(draft));
    return issues.length === 0 ? undefined : { kind: 'rejected', code: 'preflight_failed', issues };
  } catch (error) {
    return { kind: 'not_written', code: codeOf(error, 'preflight_failed_unexpectedly'), retryAfterMs: undefined };
  }
}

/**
 * Asks the order system to create the order, until the deadline at the latest. Whatever happens after the call began and
 * is no clear answer is `unknown`: the order may exist.
 */
export async function createOrder(system: OrderSystem, order: OrderCase, remainingMs: number): Promise<OrderOutcome> {
  if (remainingMs <= 0) return { kind: 'not_written', code: 'deadline_before_call', retryAfterMs: undefined };
  const signal = AbortSignal.timeout(remainingMs);
  const { draft, placement } = order;
  const outcome = await answerOf(signal, () => system.create(draft, { attempt: placement.attempt, signal })).catch(
    unknownBy,
  );
  switch (outcome.outcome) {
    case 'created':
      return { kind: 'created', order: outcome.order };
    case 'already_exists': {
      const confirmed = await confirmOrder(system, draft, signal).catch(() => undefined);
      return confirmed ?? { kind: 'unknown', code: ORDER_NOT_READABLE };
    }
    case 'rejected':
      return { kind: 'rejected', code: outcome.code, issues: [] };
    case 'retryable':
      return { kind: 'not_written', code: outcome.code, retryAfterMs: outcome.retryAfterMs };
    case 'unknown':
      return { kind: 'unknown', code: outcome.code };
  }
}

const unknownBy = (error: unknown): CreateOutcome => ({ outcome: 'unknown', code: codeOf(error, 'adapter_failed') });

/**
 * Reads an order back that exists under our reference: only one that is what was agreed is ours.
 * @returns undefined where it is not there to be read; a later look-up will tell
 */
async function confirmOrder(
  system: OrderSystem,
  draft: OrderDraft,
  signal: AbortSignal,
): Promise<OrderOutcome | undefined> {
  const snapshot = await answerOf(signal, () => system.readBack(draft, signal));
  if (snapshot === undefined) return undefined;
  const { orderNumber, url } = snapshot;
  if (orderDifferences(draft, snapshot).length > 0) return { kind: 'different', code: 'order_differs' };
  return { kind: 'created', order: { orderNumber, ...(url !== undefined && { url }) } };
}

/**
 * Finds out what became of an order whose outcome is unknown, once nothing can take effect late any more.
 *
 * @param isAnswering whether the order system has answered others: a look-up that fails as often as it may ends with a
 * person only then, since an order system that is away comes back
 */
export async function lookUpOrder(
  system: OrderSystem,
  { draft, claim }: OrderCase,
  limits: { readonly callTimeoutMs: number; readonly maxLookUps: number },
  isAnswering: boolean,
): Promise<OrderOutcome> {
  const signal = AbortSignal.timeout(limits.callTimeoutMs);
  const failed = (code: string): OrderOutcome => ({
    kind: isAnswering && claim.attempts >= limits.maxLookUps ? 'unresolved' : 'not_looked_up',
    code,
  });
  try {
    const { found } = await answerOf(signal, () => system.findByReference(draft, signal));
    switch (found) {
      case 'none':
        return system.capabilities.uniqueRef === 'none'
          ? { kind: 'unresolved', code: 'not_found_and_not_unique' }
          : { kind: 'not_written', code: 'not_found', retryAfterMs: 0 };
      case 'many':
        return { kind: 'different', code: 'reference_used_twice' };
      case 'one':
        return (await confirmOrder(system, draft, signal)) ?? failed(ORDER_NOT_READABLE);
    }
  } catch (error) {
    return failed(codeOf(error, 'look_up_failed'));
  }
}
