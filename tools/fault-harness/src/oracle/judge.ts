import type { Instant } from '@v402/domain';
import { contractsOf } from '../stories/make-stories.js';
import type { Story } from '../stories/story.js';
import { Books } from './books.js';
import { checkAudit } from './check-audit.js';
import { checkEvents } from './check-events.js';
import { checkHolds } from './check-holds.js';
import { checkStory } from './check-stories.js';
import type { Seen } from './seen.js';
import type { Violation } from './violation.js';

/**
 * Holds what was seen against what was sent. It knows the agents' stories and what outsiders see, and shares no code with
 * the handlers.
 * @returns what must never happen, and did; nothing is a pass
 */
export function judge(stories: readonly Story[], seen: Seen, now: Instant): readonly Violation[] {
  const books = new Books(seen);
  return [
    ...stories.flatMap((story) => checkStory(story, books, now)),
    ...checkEvents(seen),
    ...checkHolds(seen),
    ...checkAudit(seen),
    ...strangers(stories, seen),
    ...seen.stuck.map((text): Violation => ({ check: 'stuck', text })),
  ];
}

/** Orders, settlements and quarantine entries that no story explains. */
function strangers(stories: readonly Story[], { orders, settlements, quarantine }: Seen): readonly Violation[] {
  const known = new Set(stories.flatMap(contractsOf).map(({ contractId }) => contractId));
  return [
    ...orders
      .filter(({ contractId }) => !known.has(contractId))
      .map(({ reference }): Violation => ({ check: 'order', text: `nobody agreed the order ${reference}` })),
    ...settlements
      .filter(({ contractId }) => !known.has(contractId))
      .map(({ contractId }): Violation => ({ check: 'settlement', text: `nobody signed ${contractId}` })),
    ...quarantine
      .filter(({ reason }) => reason !== 'equivocation' && reason !== 'undecidable_message')
      .map(({ reason, contractId }): Violation => ({ check: 'quarantine', text: `${contractId ?? '?'}: ${reason}` })),
  ];
}
