import type { EvidenceVerdict } from '@v402/application';

const MARKS = { proven: 'proven     ', failed: 'FAILED     ', not_checked: 'not checked' } as const;

/** What became of each check, and what remains a claim, for a person at a terminal. */
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
    .map((line) => `${line}\n`)
    .join('');
}
