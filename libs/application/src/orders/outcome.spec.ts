import { ORDER_NOT_READABLE, OUTCOME_NOT_RECORDED, verdictOf, type OrderOutcome } from './outcome.js';

const notWritten = (code: string): OrderOutcome => ({ kind: 'not_written', code, retryAfterMs: undefined });

test.each<[OrderOutcome, 'answered' | 'failed' | undefined]>([
  [{ kind: 'created', order: { orderNumber: 'S-1' } }, 'answered'],
  [{ kind: 'different', code: 'order_differs' }, 'answered'],
  [{ kind: 'rejected', code: 'credit_limit', issues: [] }, 'answered'],
  [{ kind: 'rejected', code: 'preflight_failed', issues: [{ code: 'x', where: '' }] }, undefined],
  [notWritten('not_found'), 'answered'],
  [notWritten('deadline_before_call'), undefined],
  [notWritten('too_many_requests'), 'failed'],
  [{ kind: 'unknown', code: 'connection_reset' }, 'failed'],
  [{ kind: 'unknown', code: OUTCOME_NOT_RECORDED }, undefined],
  [{ kind: 'unknown', code: ORDER_NOT_READABLE }, 'answered'],
  [{ kind: 'not_looked_up', code: 'order_book_unavailable' }, 'failed'],
  [{ kind: 'not_looked_up', code: ORDER_NOT_READABLE }, 'answered'],
  [{ kind: 'unresolved', code: 'look_up_failed' }, undefined],
  [{ kind: 'not_recordable', code: 'outcome_not_recordable' }, undefined],
])('%j says of the order system: %s', (outcome, verdict) => {
  expect(verdictOf(outcome)).toBe(verdict);
});
