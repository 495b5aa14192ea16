import { addSeconds, dateOf, TerminalError, type Instant, type SettlementContract } from '@v402/domain';
import type { TranscriptMessage } from '../envelope.js';
import { checkRules } from '../rules.js';
import { checkSchema, SPEC } from '../schema/envelope.schema.js';
import { buildTerms, type TermsDraft } from './terms.builder.js';
import { buildTranscript, summarizeTranscript } from './transcript.builder.js';

export interface ContractDraft
  extends TermsDraft, Partial<Pick<SettlementContract, 'negotiationId' | 'audience' | 'supersedes' | 'extensions'>> {
  readonly parties?: Partial<SettlementContract['parties']>;
  readonly strategies?: SettlementContract['negotiation']['strategies'];
  /** The messages that led to the contract; one round of proposals, agreed at `agreedAt`, if absent. */
  readonly transcript?: readonly TranscriptMessage[];
  /** Only without `transcript`, which says when the parties agreed. */
  readonly agreedAt?: Instant;
  /** A day after `agreedAt` if absent. */
  readonly expiresAt?: Instant;
}

const DEFAULT_AGREED_AT = '2026-11-21T10:15:30.120Z';
const DEFAULT_PARTIES: SettlementContract['parties'] = {
  buyer: { id: 'did:web:buyer.example', name: 'Buyer GmbH' },
  seller: { id: 'did:web:seller.example', name: 'Seller SA' },
};

/**
 * Makes a contract that is valid but for its signatures: every amount, sum and hash is computed from the draft.
 * The same draft always gives the same contract. The envelope is `{ contract, signatures, transcript? }`.
 *
 * @throws TerminalError `draft_invalid` when the draft cannot become a valid contract; `context` says how it would be refused, and where
 */
export function buildContract(draft: ContractDraft = {}): SettlementContract {
  const transcript = draft.transcript ?? buildTranscript({ rounds: 1, agreedAt: draft.agreedAt ?? DEFAULT_AGREED_AT });
  const { agreedAt, ...summary } = summarizeTranscript(transcript);
  const { audience, supersedes, extensions } = draft;
  const contract: SettlementContract = {
    spec: SPEC,
    negotiationId: draft.negotiationId ?? 'neg-1',
    ...(audience === undefined ? {} : { audience }),
    ...(supersedes === undefined ? {} : { supersedes }),
    parties: { ...DEFAULT_PARTIES, ...draft.parties },
    terms: buildTerms(draft, dateOf(agreedAt)),
    negotiation: { strategies: draft.strategies ?? { buyer: 'bounded', seller: 'adaptive' }, ...summary },
    agreedAt,
    expiresAt: draft.expiresAt ?? addSeconds(agreedAt, 86_400),
    ...(extensions === undefined ? {} : { extensions }),
  };
  assertValid(contract);
  return contract;
}

function assertValid(contract: SettlementContract): void {
  const checked = checkSchema({ contract, signatures: [] });
  const context = { arrival: contract.agreedAt, handlerId: contract.audience ?? null, servedParties: null };
  const refusal = checked.ok ? checkRules(contract, context) : checked.refusal;
  if (refusal === undefined) return;
  throw new TerminalError(
    'draft_invalid',
    `The draft would be refused with ${refusal.code} at ${refusal.where ?? '/'}.`,
    {
      refusal: refusal.code,
      where: refusal.where ?? null,
    },
  );
}
