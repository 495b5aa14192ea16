import { compareDecimals, type DecimalText } from '@v402/domain';
import type { CaseAmount } from '../ports/case-store.js';

/** Amounts over which a second person has to approve, by currency; `*` for all others. Empty: nobody has to. */
export type ApprovalLimits = Readonly<Record<string, DecimalText>>;

/**
 * The first of these totals that takes a second person, if one does. It is a member of its own, since a total that nobody can
 * tell takes one, too.
 */
export function totalOverLimit(
  limits: ApprovalLimits,
  totals: readonly (CaseAmount | undefined)[],
): { readonly total: CaseAmount | undefined } | undefined {
  return totals.map((total) => ({ total })).find(({ total }) => needsApproval(limits, total));
}

/**
 * Whether what goes on needs a second person: its amount is over the limit of its currency. Where limits are configured,
 * a currency without one, and an amount that nobody can tell, need one too.
 */
export function needsApproval(limits: ApprovalLimits, total: CaseAmount | undefined): boolean {
  if (Object.keys(limits).length === 0) return false;
  if (total === undefined) return true;
  const limit = limits[total.currency] ?? limits['*'];
  return limit === undefined || compareDecimals(total.amount, limit) > 0;
}
