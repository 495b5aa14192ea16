import type { EvidenceVerdict } from '@v402/application';
import { printable } from '@v402/domain';

const MARKS = { proven: 'proven     ', failed: 'FAILED     ', not_checked: 'not checked' } as const;

/** What became of each check, and what remains a claim, for a person at a terminal. The places may name a stranger's members. */
export function evidenceText({ outcome, subject, checks, claims }: EvidenceVerdict): string {
  const name = subject === null ? '' : subject.kind === 'contract' ? subject.contractId : subject.rawDigest;
  return [
    `${outcome}${subject === null ? '' : `: ${subject.kind} ${name}`}`,
    ...checks.flatMap((check) => [
      `${MARKS[check.outcome]}  ${check.code}: ${check.proves}`,
      ...check.faults.map(({ where, what }) => `             ${where || 'the file'} ${what}`),
    ]),
    'What no file can prove:',
    ...claims.map((claim) => `- ${claim}`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}
