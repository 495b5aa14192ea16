import type { EvidenceFile } from '../evidence-file.js';
import {
  compareMembers,
  eventsOf,
  same,
  type EvidenceCheck,
  type Fail,
  type OpenedEvidence,
} from './evidence-check.js';

/** Holds that are placed together with an entry in quarantine. */
const ENTERED: ReadonlySet<string> = new Set([
  'equivocation',
  'order_mismatch',
  'order_unresolved',
  'order_retries_exhausted',
]);

export const holdsCheck: EvidenceCheck = {
  code: 'holds',
  proves: 'Every hold and quarantine entry of this contract was announced, with the same reason and the same evidence.',
  run: (opened, fail) => {
    const { file } = opened;
    const subject = file.subject.kind === 'contract' ? file.subject.contractId : undefined;
    file.holds.forEach((hold, index) => {
      if (hold.contractId !== subject) {
        const isOfDeal = file.chain.some(({ contractId }) => contractId === hold.contractId);
        if (!isOfDeal) fail(`/holds/${index}/contractId`, 'is no contract of the deal');
        return;
      }
      checkHold(opened, hold, `/holds/${index}`, fail);
    });
    const entered = file.quarantine.map(({ holdId }) => holdId);
    file.holds.forEach(({ id, reason, contractId }, index) => {
      if (contractId !== subject) return;
      if (ENTERED.has(reason) && !entered.includes(id)) fail(`/holds/${index}/id`, 'has no entry in quarantine');
    });
    const ids = file.holds.map(({ id }) => id);
    eventsOf(opened, 'org.v402.hold.placed.v1').forEach(({ data }) => {
      if (!ids.includes(String(data['holdId']))) fail('/holds', 'lack one that was announced');
    });
    file.quarantine.forEach((entry, index) => {
      checkEntry(opened, entry, `/quarantine/${index}`, fail);
    });
    return file.holds.length + file.quarantine.length > 0;
  },
};

/** A hold on this contract's own stream: placed, and released if it was. */
function checkHold(opened: OpenedEvidence, hold: EvidenceFile['holds'][number], where: string, fail: Fail): void {
  const { id, reason, evidence, resolution, releasedAt, releasedBy } = hold;
  const [placed] = eventsOf(opened, 'org.v402.hold.placed.v1', { holdId: id });
  if (placed === undefined) fail(`${where}/id`, 'was not announced');
  else compareMembers({ reason, evidence }, pick(placed.data, 'reason', 'evidence'), where, 'its event', fail);
  const [released] = eventsOf(opened, 'org.v402.hold.released.v1', { holdId: id });
  if ((released === undefined) !== (releasedAt === null))
    fail(`${where}/releasedAt`, 'is there where that was announced');
  if ((releasedAt === null) !== (releasedBy === null)) fail(`${where}/releasedBy`, 'is there where it was released');
  if (released === undefined) return;
  compareMembers({ reason, resolution }, pick(released.data, 'reason', 'resolution'), where, 'hold.released', fail);
}

function checkEntry(
  opened: OpenedEvidence,
  entry: EvidenceFile['quarantine'][number],
  where: string,
  fail: Fail,
): void {
  const { file } = opened;
  const { reason, code, contractId, conflictsWith, rawDigest, side, holdId } = entry;
  const hold = file.holds.find(({ id }) => id === holdId);
  if (holdId !== null && hold === undefined) fail(`${where}/holdId`, 'names no hold of the file');
  if (reason === 'order_mismatch' || reason === 'order_unresolved' || reason === 'order_retries_exhausted') {
    const subject = file.subject.kind === 'contract' ? file.subject.contractId : null;
    compareMembers(entry, { contractId: subject, conflictsWith: null, rawDigest: null }, where, 'the file', fail);
    if (!same(hold?.evidence, { side, code }) || hold?.reason !== reason) fail(where, 'has no hold of that reason');
    return;
  }
  const isOurs = file.messages.some((each) => each.rawDigest === rawDigest);
  if (isOurs) {
    const [announced] = eventsOf(opened, 'org.v402.contract.quarantined.v1', { rawDigest, code });
    if (announced === undefined) fail(`${where}/rawDigest`, 'was not announced');
    const { contractId: id = null, conflictsWith: other = null } = announced?.data ?? {};
    compareMembers(entry, { contractId: id, conflictsWith: other, side: null }, where, 'its event', fail);
    // The same bytes may have come before, and been refused.
    const setAside = file.decisions.find((each) => each.rawDigest === rawDigest && each.outcome === 'quarantined');
    const kafka = setAside?.kafka;
    const shows = { conflictingContractId: contractId, rawDigest, kafka };
    if (hold !== undefined && (hold.reason !== reason || !same(hold.evidence, shows))) {
      fail(where, 'differs from the hold that it placed');
    }
    const isEquivocation = reason === 'equivocation' && code === 'negotiation_conflict';
    const isUndecidable = reason === 'undecidable_message' && code === reason;
    if (!isEquivocation && !isUndecidable) fail(`${where}/reason`, 'does not fit its code');
    return;
  }
  // Another contract that contradicts this one: what shows it is the hold that it placed on this one's deal.
  if (reason !== 'equivocation' || code !== 'negotiation_conflict') fail(`${where}/reason`, 'does not fit its code');
  const shown = hold?.evidence as Readonly<Record<string, unknown>> | undefined;
  if (shown !== undefined && (shown['conflictingContractId'] !== contractId || shown['rawDigest'] !== rawDigest)) {
    fail(where, 'differs from the hold that it placed');
  }
  if (!file.chain.some((link) => link.contractId === conflictsWith))
    fail(`${where}/conflictsWith`, 'is not of the deal');
}

const pick = (from: Readonly<Record<string, unknown>>, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, from[name]]));
