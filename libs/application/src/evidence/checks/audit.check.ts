import { canonicalBytes, sha256Hex } from '@v402/contract';
import { compareInstants } from '@v402/domain';
import type { EvidenceFile } from '../evidence-file.js';
import type { EvidenceCheck, Fail } from './evidence-check.js';

export const auditCheck: EvidenceCheck = {
  code: 'audit',
  proves:
    'What operators did stands in the audit trail with actor and reason, each entry with its digest, and every resolution has one.',
  run: ({ file }, fail) => {
    checkEntries(file.audit, fail);
    checkResolutions(file, fail);
    return file.audit.length > 0;
  },
};

/** What became of a case by this entry, if it decided it: what was asked for is done by whoever approves it. */
export const resolutionBy = ({ action, details }: EvidenceFile['audit'][number]): string | undefined =>
  action === 'approve_release' ? details['approved'] : action;

/** Entries about other things lie between these: only neighbours name each other. */
function checkEntries(audit: EvidenceFile['audit'], fail: Fail): void {
  audit.forEach(({ digest, ...entry }, index) => {
    const where = `/audit/${index}`;
    if (sha256Hex(canonicalBytes(entry)) !== digest) fail(`${where}/digest`, 'is not the digest of the entry');
    const before = audit[index - 1];
    if (before === undefined) return;
    const distance = BigInt(entry.sequence) - BigInt(before.sequence);
    if (distance < 1n || compareInstants(before.at, entry.at) > 0) fail(`${where}/sequence`, 'does not come later');
    if (distance === 1n && entry.previous !== before.digest) fail(`${where}/previous`, 'is not the one before');
  });
}

function checkResolutions({ audit, holds, quarantine, subject }: EvidenceFile, fail: Fail): void {
  const ours = subject.kind === 'contract' ? subject.contractId : undefined;
  const isAudited = (id: string, resolution: string): boolean =>
    audit.some((entry) => entry.subject === id && resolutionBy(entry) === resolution);
  quarantine.forEach(({ id, resolution, resolvedBy, resolvedAt }, index) => {
    const where = `/quarantine/${index}`;
    for (const [name, value] of Object.entries({ resolvedBy, resolvedAt })) {
      if ((value === null) !== (resolution === null)) fail(`${where}/${name}`, 'is there where it was resolved');
    }
    if (resolution !== null && !isAudited(id, resolution)) fail(`${where}/resolution`, 'stands in no audit entry');
  });
  holds.forEach(({ id, resolution, contractId }, index) => {
    if (resolution === null) return;
    const where = `/holds/${index}/resolution`;
    // A hold that came with an entry in quarantine is resolved with it; another contract's entry is in that one's file.
    const entry = quarantine.find(({ holdId }) => holdId === id);
    if (entry !== undefined && entry.resolution !== resolution) fail(where, 'differs from its entry in quarantine');
    if (entry === undefined && contractId === ours && !isAudited(id, resolution))
      fail(where, 'stands in no audit entry');
  });
}
