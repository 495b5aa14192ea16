import type { Transaction } from '../ports/unit-of-work.js';
import type { ExaminedMessage } from './decide.js';
import { undecidableEvent } from './intake-events.js';
import { decisionOf, type IntakeContext } from './intake-round.js';

/**
 * Sets a message aside that the database cannot take, with its bytes: nobody knows what it is, so nobody may lose it.
 * Parked once per content; a redelivery changes nothing.
 */
export async function parkUndecidable(
  tx: Transaction,
  context: IntakeContext,
  examined: ExaminedMessage,
): Promise<void> {
  const { raw } = examined;
  await tx.evidence.keepRaw([raw]);
  const parked = await tx.evidence.quarantineUndecidable({ id: context.ids.next(), rawDigest: raw.digest });
  if (!parked) return;
  const code = 'undecidable_message';
  const decision = decisionOf(context, examined, { outcome: 'undecidable', code, contractId: undefined, keys: [] });
  await tx.evidence.recordDecisions([decision]);
  await tx.events.append([undecidableEvent(context.naming, examined, await tx.now())]);
}
