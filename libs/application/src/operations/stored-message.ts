import { TerminalError } from '@v402/domain';
import type { InboundMessage } from '../intake/inbound-message.js';
import type { OperatorCase } from '../ports/case-store.js';
import type { Transaction } from '../ports/unit-of-work.js';
import { OperationRefused } from './operation-refused.js';

/**
 * The message of a case as it came: its bytes, its place in Kafka and its arrival when it was set aside last. The same
 * bytes may have come before, and been refused then. No other bytes can be decided: no action takes any.
 * @param setAside the decision that made it a case
 * @throws OperationRefused `bytes_incomplete` for a message of which only the beginning was kept
 */
export async function storedMessage(
  tx: Transaction,
  { rawDigest }: OperatorCase,
  setAside: 'quarantined' | 'undecidable',
): Promise<InboundMessage> {
  const raw = rawDigest === undefined ? undefined : await tx.cases.raw(rawDigest);
  const decisions = rawDigest === undefined ? [] : await tx.cases.decisions({ rawDigest });
  const decision = decisions.findLast(({ outcome }) => outcome === setAside);
  if (raw === undefined || decision === undefined) {
    throw new TerminalError('evidence_missing', 'A quarantined message has its bytes and its decision.');
  }
  if (raw.truncated) {
    throw new OperationRefused(
      'bytes_incomplete',
      'Of this message only the beginning was kept: ask its sender again.',
    );
  }
  const { coordinates, arrival } = decision;
  return { coordinates, value: raw.bytes, arrival, traceparent: undefined };
}
