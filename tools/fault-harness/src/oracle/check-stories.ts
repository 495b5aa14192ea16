import type { Instant } from '@v402/domain';
import type { GoodContract, Story } from '../stories/story.js';
import type { Books } from './books.js';
import { ContractCheck, digestOf } from './check-contract.js';
import { DealCheck } from './check-deal.js';
import type { Violation } from './violation.js';

/** Whether of one story came what must come of it, and nothing else. */
export function checkStory(story: Story, books: Books, now: Instant): readonly Violation[] {
  const check = new ContractCheck(books, now);
  const deals = new DealCheck(books, check);
  switch (story.kind) {
    case 'agreed':
      check.settled(story.contract, story.contract.contractId);
      checkNotHeld(check, books, story.contract);
      break;
    case 'tampered':
      check.settled(story.contract, story.contract.contractId);
      checkNotHeld(check, books, story.contract);
      checkCopy(check, books, story);
      break;
    case 'refused':
      checkRefused(check, books, story);
      break;
    case 'poison':
      checkParked(check, books, story.contract);
      break;
    case 'rivals':
      deals.check(story.rivals, story.rivals);
      break;
    case 'amended':
      deals.check(story.chain, []);
      break;
    case 'forked':
      deals.check([story.base, ...story.amendments], story.amendments);
      break;
  }
  return check.violations;
}

function checkNotHeld(check: ContractCheck, books: Books, { contract, contractId }: GoodContract): void {
  const holds = books.openHolds(contract.negotiationId);
  if (holds.length > 0) check.wrong('stuck', `${contractId} is held: ${holds.map(({ reason }) => reason).join(', ')}`);
  if (books.quarantine(contractId).length > 0) check.wrong('quarantine', `${contractId} is in quarantine`);
}

function checkRefused(
  check: ContractCheck,
  books: Books,
  { rawDigest, code }: Extract<Story, { kind: 'refused' }>,
): void {
  const codes = books.rejectionCodes(rawDigest);
  check.same('refusal', `codes of ${rawDigest}`, codes, [code]);
  const announced = books.announcedCodes(rawDigest).map(String);
  check.same('refusal', `announced codes of ${rawDigest}`, announced, [code]);
  if (!books.seen.keptBytes.has(rawDigest)) check.wrong('refusal', `bytes of ${rawDigest} are lost`);
  if (books.undecidable(rawDigest).length > 0) check.wrong('quarantine', `refused ${rawDigest} was parked, too`);
}

/** Whether it was refused depends on who was first; it was refused once at most, and for its own reason. */
function checkCopy(check: ContractCheck, books: Books, { copy, code }: Extract<Story, { kind: 'tampered' }>): void {
  const rawDigest = digestOf(copy);
  const codes = books.rejectionCodes(rawDigest);
  check.same('refusal', `announced codes of ${rawDigest}`, books.announcedCodes(rawDigest).map(String), codes);
  if (codes.length > 0) check.same('refusal', `codes of ${rawDigest}`, codes, [code]);
  if (codes.length > 0 && !books.seen.keptBytes.has(rawDigest)) {
    check.wrong('refusal', `bytes of ${rawDigest} are lost`);
  }
}

function checkParked(check: ContractCheck, books: Books, good: GoodContract): void {
  const { contractId, value } = good;
  const digest = digestOf(value);
  const entries = books.undecidable(digest);
  if (entries.length !== 1) check.wrong('quarantine', `poison ${contractId} is parked ${entries.length} times`);
  if (!books.seen.keptBytes.has(digest)) check.wrong('quarantine', `bytes of poison ${contractId} are lost`);
  if (books.settlements(contractId).length > 0) check.wrong('quarantine', `poison ${contractId} was accepted`);
  check.untouched(good);
}
