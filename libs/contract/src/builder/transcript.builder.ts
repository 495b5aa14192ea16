import { addSeconds, TerminalError, type Instant, type SettlementContract } from '@v402/domain';
import type { TranscriptMessage } from '../envelope.js';
import { countRounds, hashMessage, NO_PREVIOUS_HASH } from '../transcript.js';

export type MessageDraft = Pick<TranscriptMessage, 'from' | 'type' | 'at'> & Partial<Pick<TranscriptMessage, 'body'>>;

/** Numbers the messages of a negotiation and chains their hashes (section 8); a body is `{}` if absent. */
export function chainMessages(drafts: readonly MessageDraft[]): readonly TranscriptMessage[] {
  let prevHash = NO_PREVIOUS_HASH;
  return drafts.map(({ from, type, at, body = {} }, seq) => {
    const message: TranscriptMessage = { seq, from, type, at, body, prevHash };
    prevHash = hashMessage(message);
    return message;
  });
}

export interface TranscriptDraft {
  /** Proposals that each party makes, 0–7. */
  readonly rounds: number;
  /** When the last message, the seller's acceptance, is sent. */
  readonly agreedAt: Instant;
  /** Whole seconds from one message to the next; 5 if absent. */
  readonly intervalSeconds?: number;
  /** The content of each message; `{}` if absent. */
  readonly bodyOf?: (message: Pick<TranscriptMessage, 'seq' | 'from' | 'type'>) => TranscriptMessage['body'];
}

/** A whole negotiation: intent, capability, the parties' proposals in turn, and the acceptances of buyer and seller. */
export function buildTranscript(draft: TranscriptDraft): readonly TranscriptMessage[] {
  const { rounds, agreedAt, intervalSeconds = 5, bodyOf = () => ({}) } = draft;
  const types: readonly TranscriptMessage['type'][] = [
    'intent',
    'capability',
    ...Array.from({ length: 2 * rounds }, () => 'proposal' as const),
    'accept',
    'accept',
  ];
  return chainMessages(
    types.map((type, seq) => {
      const from = seq % 2 === 0 ? 'buyer' : 'seller';
      const at = addSeconds(agreedAt, (seq + 1 - types.length) * intervalSeconds);
      return { from, type, at, body: bodyOf({ seq, from, type }) };
    }),
  );
}

/** What a contract says of its negotiation, taken from the messages; `agreedAt` is the last one's time. */
export function summarizeTranscript(
  transcript: readonly TranscriptMessage[],
): Omit<SettlementContract['negotiation'], 'strategies'> & Pick<SettlementContract, 'agreedAt'> {
  const last = transcript.at(-1);
  if (last === undefined) throw new TerminalError('draft_invalid', 'A negotiation has messages.');
  return {
    rounds: countRounds(transcript),
    messageCount: transcript.length,
    transcriptHash: hashMessage(last),
    agreedAt: last.at,
  };
}
