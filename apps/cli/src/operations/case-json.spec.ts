import type { Approval, AuditEntry, ShownCase } from '@v402/application';
import { toJson } from '../json.js';
import { caseJson, resolvedJson } from './case-json.js';

const AT = 1_795_342_530_123_457n;
const WRITTEN = '2026-11-22T10:15:30.123457Z';

const entry: AuditEntry = {
  sequence: 12n,
  at: AT,
  actor: 'olivia',
  login: 'v402_operator_login',
  action: 'release',
  subject: 'case',
  contractId: undefined,
  reason: 'ticket 4711',
  details: {},
  previous: '0',
  digest: '1',
};

const approval: Approval = {
  id: 'approval',
  caseId: 'case',
  action: 'release',
  orderChanged: false,
  total: undefined,
  requestedBy: 'olivia',
  requestedLogin: 'olivia_login',
  reason: 'ticket 4711',
  requestedAt: AT,
  outcome: undefined,
  decidedBy: undefined,
  decidedLogin: undefined,
};

const shown: ShownCase = {
  id: 'case',
  source: 'quarantine',
  reason: 'equivocation',
  code: 'negotiation_conflict',
  contractId: 'cd',
  otherContractId: undefined,
  rawDigest: undefined,
  side: undefined,
  dealKey: undefined,
  hold: undefined,
  occurrences: 1,
  since: AT,
  resolution: 'release',
  resolvedBy: 'olivia',
  resolvedAt: AT,
  total: undefined,
  shortRef: undefined,
  pending: approval,
  documents: [
    {
      ...{ what: 'message', contractId: undefined, canonical: Buffer.from('{}'), raw: undefined },
      decisions: [
        {
          ...{ outcome: 'quarantined', code: 'negotiation_conflict', contractId: 'cd', rawDigest: 'ef', keys: [] },
          coordinates: { topic: 'contracts', partition: 0, offset: 7n },
          arrival: { at: WRITTEN, source: 'broker' },
          ...{ registryDigest: '01', codeVersion: '1', decidedAt: AT },
        },
      ],
    },
  ],
  approvals: [approval],
  audit: [entry],
};

test('default: of a case every moment is an instant, and no other number is', () => {
  expect(JSON.parse(toJson(caseJson(shown)))).toMatchObject({
    since: WRITTEN,
    resolvedAt: WRITTEN,
    pending: { requestedAt: WRITTEN },
    documents: [{ canonical: 'e30=', decisions: [{ decidedAt: WRITTEN, coordinates: { offset: '7' } }] }],
    approvals: [{ requestedAt: WRITTEN }],
    audit: [{ sequence: '12', at: WRITTEN }],
  });
});

test('behavior: nobody has decided yet, and nobody was asked', () => {
  const open = caseJson({ ...shown, resolvedAt: undefined, pending: undefined });
  expect(open).toMatchObject({ resolvedAt: undefined, pending: undefined });
});

test('default: what an action came to has its entry', () => {
  const resolved = { outcome: 'done', caseId: 'case', changes: {}, audit: entry } as const;
  expect(JSON.parse(toJson(resolvedJson(resolved)))).toMatchObject({ audit: { sequence: '12', at: WRITTEN } });
});
