import type { Transaction } from '../ports/unit-of-work.js';
import type { SeenMessage } from './decide.js';
import { undecidableEvent } from './intake-events.js';
import { decisionOf } from './decision-record.js';
import type { IntakeContext } from './intake-context.js';

/**
 * Sets a message aside that could not be decided, with its bytes: nobody knows what it is, so nobody may lose it.
 * Parked once per content until an operator has it decided: a redelivery changes nothing, and one that cannot be decided
 * after that is another case.
 * @returns whether it is a case that was not there before
 */
export async function parkUndecidable(tx: Transaction, context: IntakeContext, seen: SeenMessage): Promise<boolean> {
  const { raw } = seen;
  await tx.evidence.keepRaw([raw]);
  const n = await tx.evidence.quarantineUndecidable({ id: context.ids.next(), rawDigest: raw.digest });
  if (n === undefined) return false;
  const code = 'undecidable_message';
  const decision = decisionOf(context, seen, { outcome: 'undecidable', code, contractId: undefined, keys: [] });
  await tx.evidence.recordDecisions([decision]);
  await tx.events.append([undecidableEvent(context.naming, seen, { n, now: await tx.now() })]);
  return true;
}
