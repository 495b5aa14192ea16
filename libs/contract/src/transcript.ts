import { compareInstants, type Refusal, type SettlementContract, type Side } from '@v402/domain';
import { canonicalBytes, sha256Hex } from './canonical.js';
import type { TranscriptMessage } from './envelope.js';

/** `prevHash` of the first message. */
export const NO_PREVIOUS_HASH = '0'.repeat(64);

/** A message's hash: lowercase hex SHA-256 over its canonical bytes. */
export function hashMessage(message: TranscriptMessage): string {
  return sha256Hex(canonicalBytes(message));
}

/** The rounds of a negotiation: the larger of the two parties' numbers of proposals. */
export function countRounds(messages: readonly Pick<TranscriptMessage, 'from' | 'type'>[]): number {
  const proposalsOf = (side: Side): number =>
    messages.filter(({ from, type }) => from === side && type === 'proposal').length;
  return Math.max(proposalsOf('buyer'), proposalsOf('seller'));
}

/**
 * Section 8: whether the negotiation's messages are the ones that the contract speaks of. A missing transcript is a
 * mismatch only where the handler requires one.
 */
export function checkTranscript(
  contract: SettlementContract,
  transcript: readonly TranscriptMessage[] | undefined,
  { required }: { readonly required: boolean },
): Refusal | undefined {
  if (transcript === undefined) return required ? mismatch() : undefined;
  if (transcript.length !== contract.negotiation.messageCount) return mismatch();
  return checkChain(transcript, contract.negotiation.transcriptHash) ?? checkCourse(transcript, contract);
}

function mismatch(index?: number): Refusal {
  return { code: 'transcript_mismatch', where: index === undefined ? '/transcript' : `/transcript/${index}` };
}

function checkChain(transcript: readonly TranscriptMessage[], transcriptHash: string): Refusal | undefined {
  let previous = NO_PREVIOUS_HASH;
  for (const [index, message] of transcript.entries()) {
    if (message.seq !== index || message.prevHash !== previous) return mismatch(index);
    previous = hashMessage(message);
  }
  return previous === transcriptHash ? undefined : mismatch(transcript.length - 1);
}

/** Who says what when: intent, capability, proposals, one acceptance each. */
function checkCourse(transcript: readonly TranscriptMessage[], contract: SettlementContract): Refusal | undefined {
  const last = transcript.at(-1);
  const lastButOne = transcript.at(-2);
  if (last === undefined || lastButOne === undefined || last.from === lastButOne.from) return mismatch();
  for (const [index, message] of transcript.entries()) {
    const before = transcript[index - 1];
    const isInTime = before === undefined || compareInstants(before.at, message.at) <= 0;
    if (!isInTime || !isExpected(message, index, transcript.length)) return mismatch(index);
  }
  if (compareInstants(last.at, contract.agreedAt) !== 0) return mismatch(transcript.length - 1);
  return countRounds(transcript) === contract.negotiation.rounds ? undefined : mismatch();
}

function isExpected({ from, type }: TranscriptMessage, index: number, count: number): boolean {
  if (index === 0) return type === 'intent' && from === 'buyer';
  if (index === 1) return type === 'capability' && from === 'seller';
  return type === (index < count - 2 ? 'proposal' : 'accept');
}
