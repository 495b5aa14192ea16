import type { OperatorCase } from '@v402/application';

/** What is more in total needs a second operator, in any currency: some releases do, and others do not. */
export const APPROVAL_OVER = '20000';

const SHARE = 3;

/**
 * Whether operators act on a case: on about two thirds of the deals, and the same ones for every operator. The others stay
 * as the services have left them.
 */
export function isActedOn({ hold, dealKey, rawDigest }: Pick<OperatorCase, 'hold' | 'dealKey' | 'rawDigest'>): boolean {
  const digest = hold === undefined ? rawDigest : dealKey;
  return digest !== undefined && Number.parseInt(digest.slice(0, 2), 16) % SHARE !== 0;
}

/** The cases on which operators act and that are still open: `id`, `reason`. */
export const UNDECIDED = `
  SELECT q.id, q.reason FROM v402.quarantine q LEFT JOIN v402.hold h ON h.id = q.hold_id
   WHERE q.resolution IS NULL AND get_byte(coalesce(h.deal_key, q.raw_digest), 0) % ${SHARE} <> 0
  UNION ALL
  SELECT h.id, h.reason FROM v402.hold h
   WHERE h.resolution IS NULL AND h.released_at IS NULL AND get_byte(h.deal_key, 0) % ${SHARE} <> 0
     AND NOT EXISTS (SELECT FROM v402.quarantine q WHERE q.hold_id = h.id)`;
