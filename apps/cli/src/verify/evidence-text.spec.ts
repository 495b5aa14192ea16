import type { EvidenceVerdict } from '@v402/application';
import { printable } from '@v402/domain';
import { evidenceText } from './evidence-text.js';

const verdict: EvidenceVerdict = {
  outcome: 'failed',
  subject: null,
  checks: [
    {
      code: 'format',
      outcome: 'failed',
      proves: 'The file is an evidence file.',
      faults: [
        { where: '', what: 'cannot be read: duplicate_key' },
        { where: '/audit/0/details/\u001b[31mX', what: 'is not as the format has it' },
      ],
    },
  ],
  claims: ['Times are claims.'],
};

test('default: each check with its faults, then what remains a claim', () => {
  expect(evidenceText(verdict).split('\n').slice(0, 3)).toEqual([
    'failed',
    'FAILED       format: The file is an evidence file.',
    '             the file cannot be read: duplicate_key',
  ]);
  expect(evidenceText({ ...verdict, subject: { kind: 'contract', contractId: 'ab' } })).toMatch(
    /^failed: contract ab\n/,
  );
  expect(evidenceText(verdict)).toMatch(/\n- Times are claims\.\n$/);
});

test('behavior: a place that a stranger named does nothing to the terminal', () => {
  const text = evidenceText(verdict);
  expect(text).toContain(String.raw`/audit/0/details/\u{1b}[31mX is not as the format has it`);
  expect(text.replaceAll('\n', '')).toBe(printable(text.replaceAll('\n', '')));
});
