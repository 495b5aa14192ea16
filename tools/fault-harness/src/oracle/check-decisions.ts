import { contractsOf, messagesOf } from '../stories/make-stories.js';
import type { Story } from '../stories/story.js';
import { digestOf } from './check-contract.js';
import type { Seen } from './seen.js';
import type { Violation } from './violation.js';

/**
 * Whether each delivery was decided and counted: a message that comes three times and is lost once is settled all the same.
 * It may be counted more often, since it is delivered again where a process dies; what is lost in a place where that
 * happened too is not seen here.
 */
export function checkDecisions(stories: readonly Story[], copies: number, seen: Seen): readonly Violation[] {
  return [...ofContracts(stories, copies, seen), ...ofRefusals(stories, copies, seen)];
}

function* ofContracts(stories: readonly Story[], copies: number, seen: Seen): Generator<Violation> {
  const accepted = new Map(seen.settlements.map(({ contractId, duplicates }) => [contractId, 1 + duplicates]));
  const conflicts = Map.groupBy(seen.quarantine, ({ contractId }) => contractId);
  const ofDigest = occurrencesByDigest(seen);
  for (const story of stories) {
    if (story.kind === 'refused') continue;
    for (const { contractId, value } of contractsOf(story)) {
      const values = story.kind === 'tampered' ? [value, story.copy] : [value];
      const entries = (conflicts.get(contractId) ?? []).filter(({ reason }) => reason === 'equivocation');
      // What an operator released was accepted without another delivery.
      const released = entries.some(({ resolution }) => resolution === 'release') ? 1 : 0;
      const decided =
        (accepted.get(contractId) ?? 0) -
        released +
        entries.reduce((sum, { occurrences }) => sum + occurrences, 0) +
        values.reduce((sum, each) => sum + (ofDigest.get(digestOf(each)) ?? 0), 0);
      const due = values.length * copies;
      if (decided < due) yield wrong(`of ${due} deliveries of ${contractId}, ${decided} were decided`);
    }
  }
}

/** Several refused messages may be the same, such as an empty one. */
function* ofRefusals(stories: readonly Story[], copies: number, seen: Seen): Generator<Violation> {
  const ofDigest = occurrencesByDigest(seen);
  const refused = Map.groupBy(
    stories.flatMap((story) => (story.kind === 'refused' ? messagesOf(story).map(() => story.rawDigest) : [])),
    (rawDigest) => rawDigest,
  );
  for (const [rawDigest, { length }] of refused) {
    const decided = ofDigest.get(rawDigest) ?? 0;
    if (decided < length * copies) {
      yield wrong(`of ${length * copies} deliveries of the refused ${rawDigest}, ${decided} were decided`);
    }
  }
}

/** How often each content was refused, or could not be decided. */
function occurrencesByDigest({ rejections, quarantine }: Seen): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const undecidable = quarantine.filter(({ reason }) => reason === 'undecidable_message');
  for (const { rawDigest, occurrences } of [...rejections, ...undecidable]) {
    if (rawDigest !== null) counts.set(rawDigest, (counts.get(rawDigest) ?? 0) + occurrences);
  }
  return counts;
}

const wrong = (text: string): Violation => ({ check: 'decision', text });
