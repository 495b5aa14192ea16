import type { Instant } from '@v402/domain';
import { contractsOf } from '../stories/make-stories.js';
import type { Story } from '../stories/story.js';
import { Books } from './books.js';
import { checkAudit } from './check-audit.js';
import { checkDecisions } from './check-decisions.js';
import { checkEvents } from './check-events.js';
import { checkHolds } from './check-holds.js';
import { digestOf } from './check-contract.js';
import { checkStory } from './check-stories.js';
import type { Seen } from './seen.js';
import type { Violation } from './violation.js';

/** What was sent. */
export interface Sent {
  readonly stories: readonly Story[];
  /** How often each message was sent at least. */
  readonly copies: number;
  /** When the agents agreed. */
  readonly now: Instant;
}

/**
 * Holds what was seen against what was sent. It knows the agents' stories and what outsiders see, and shares no code with
 * the handlers.
 * @returns what must never happen, and did; nothing is a pass
 */
export function judge({ stories, copies, now }: Sent, seen: Seen): readonly Violation[] {
  const books = new Books(seen);
  return [
    ...stories.flatMap((story) => checkStory(story, books, now)),
    ...checkDecisions(stories, copies, seen),
    ...checkEvents(seen),
    ...checkHolds(seen),
    ...checkAudit(seen),
    ...strangers(stories, seen),
    ...seen.stuck.map((text): Violation => ({ check: 'stuck', text })),
  ];
}

/** Orders, settlements, refusals and quarantine entries that no story explains. */
function strangers(
  stories: readonly Story[],
  { orders, settlements, rejections, quarantine }: Seen,
): readonly Violation[] {
  const refusable = refusableContents(stories);
  const known = new Set(stories.flatMap(contractsOf).map(({ contractId }) => contractId));
  return [
    ...orders
      .filter(({ contractId }) => !known.has(contractId))
      .map(({ reference }): Violation => ({ check: 'order', text: `nobody agreed the order ${reference}` })),
    ...settlements
      .filter(({ contractId }) => !known.has(contractId))
      .map(({ contractId }): Violation => ({ check: 'settlement', text: `nobody signed ${contractId}` })),
    ...rejections
      .filter(({ rawDigest, code }) => refusable.get(rawDigest)?.has(code) !== true)
      .map(({ rawDigest, code }): Violation => ({ check: 'refusal', text: `${rawDigest} was refused as ${code}` })),
    ...quarantine
      .filter(({ reason }) => reason !== 'equivocation' && reason !== 'undecidable_message')
      .map(({ reason, contractId }): Violation => ({ check: 'quarantine', text: `${contractId ?? '?'}: ${reason}` })),
  ];
}

/** Why a content may have been refused: because it has to be, or because it came before what it amends. */
function refusableContents(stories: readonly Story[]): ReadonlyMap<string, ReadonlySet<string>> {
  const codes = new Map<string, Set<string>>();
  const allow = (rawDigest: string, code: string): unknown =>
    codes.set(rawDigest, (codes.get(rawDigest) ?? new Set()).add(code));
  for (const story of stories) {
    if (story.kind === 'refused') allow(story.rawDigest, story.code);
    if (story.kind === 'tampered') allow(digestOf(story.copy), story.code);
    for (const { contract, value } of contractsOf(story)) {
      if (contract.supersedes !== undefined) allow(digestOf(value), 'superseded_unknown');
    }
  }
  return codes;
}
