import { buildContract, canonicalBytes, identifyContract, type ContractDraft } from '@v402/contract';
import type { Refusal } from '@v402/domain';
import { decide, type AcceptedLink, type DealState, type Decision, type ExaminedMessage } from './decide.js';
import { dealOf, rawMessageOf, type IdentifiedMessage } from './inbound-message.js';

const EXPIRES_AT = '2026-11-22T10:15:30.12Z';
const IN_TIME = '2026-11-22T10:15:30.120Z';
const TOO_LATE = '2026-11-22T10:15:30.120000001Z';
const BASE = 'b'.repeat(64);
const OTHER = 'c'.repeat(64);
const REFUSAL: Refusal = { code: 'signature_invalid', where: '/signatures/0' };

const identify = (draft: ContractDraft = {}): IdentifiedMessage => {
  const contract = buildContract({ expiresAt: EXPIRES_AT, ...draft });
  return { envelope: { contract, signatures: [] }, ...identifyContract(contract), deal: dealOf(contract) };
};

const FIRST = identify();
const AMENDMENT = identify({ supersedes: BASE });

const link = (contractId: string, started = false): AcceptedLink => ({
  contractId,
  started,
  shortRef: 'SHORT',
  orderReference: 'REFERENCE',
});

const deal = (state: Partial<DealState> = {}): DealState => ({
  accepted: new Set(),
  current: undefined,
  quarantined: new Set(),
  ...state,
});

/** A deal whose current contract is the base. */
const begun = (started = false, ...others: string[]): DealState =>
  deal({ accepted: new Set([BASE, ...others]), current: link(BASE, started) });

const examine = (
  identified: IdentifiedMessage,
  verdict: ExaminedMessage['verdict'],
  arrivedAt: string,
): ExaminedMessage => {
  const value = canonicalBytes(identified.envelope);
  return {
    message: {
      coordinates: { topic: 'contracts', partition: 0, offset: 0n },
      value,
      arrival: undefined,
      traceparent: undefined,
    },
    raw: rawMessageOf(value),
    arrival: { at: arrivedAt, source: 'broker' },
    registryDigest: '0'.repeat(64),
    identified,
    verdict,
  };
};

const valid: ExaminedMessage['verdict'] = { keys: [] };
const refused: ExaminedMessage['verdict'] = { refusal: REFUSAL };
const expired: Decision = { kind: 'refused', refusal: { code: 'expired', where: '/contract/expiresAt' } };
const unknownBase: Decision = {
  kind: 'refused',
  refusal: { code: 'superseded_unknown', where: '/contract/supersedes' },
};
const equivocation = (unexpired: boolean): Decision => ({ kind: 'equivocation', conflictsWith: link(BASE), unexpired });
const accepted = deal({ accepted: new Set([FIRST.contractId]), current: link(FIRST.contractId) });
const quarantined = deal({ ...begun(), quarantined: new Set([FIRST.contractId]) });

type Case = [string, IdentifiedMessage, ExaminedMessage['verdict'], string, DealState, Decision];

test.each<Case>([
  ['the first contract of a deal', FIRST, valid, IN_TIME, deal(), { kind: 'accepted' }],
  ['the first one, too late', FIRST, valid, TOO_LATE, deal(), expired],
  ['the first one, refused', FIRST, refused, IN_TIME, deal(), { kind: 'refused', refusal: REFUSAL }],
  ['refused and too late: the earlier code', FIRST, refused, TOO_LATE, deal(), { kind: 'refused', refusal: REFUSAL }],
  ['refused where another one is current', FIRST, refused, IN_TIME, begun(), { kind: 'refused', refusal: REFUSAL }],
  ['an accepted one again', FIRST, valid, IN_TIME, accepted, { kind: 'duplicate' }],
  ['an accepted one, known before', FIRST, 'known', IN_TIME, accepted, { kind: 'duplicate' }],
  ['an accepted one, refused since', FIRST, refused, IN_TIME, accepted, { kind: 'duplicate' }],
  ['an accepted one, expired since', FIRST, valid, TOO_LATE, accepted, { kind: 'duplicate' }],
  [
    'an accepted one that was superseded',
    FIRST,
    'known',
    IN_TIME,
    begun(false, FIRST.contractId),
    { kind: 'duplicate' },
  ],
  ['a quarantined one again', FIRST, 'known', IN_TIME, quarantined, { kind: 'still_quarantined' }],
  ['a quarantined one, refused since', FIRST, refused, TOO_LATE, quarantined, { kind: 'still_quarantined' }],
  ['a second one', FIRST, valid, IN_TIME, begun(), equivocation(true)],
  ['a second one, too late', FIRST, valid, TOO_LATE, begun(), equivocation(false)],
  ['an amendment', AMENDMENT, valid, IN_TIME, begun(), { kind: 'replaces', base: link(BASE) }],
  [
    'an amendment after the start',
    AMENDMENT,
    valid,
    IN_TIME,
    begun(true),
    { kind: 'amends_after_start', base: link(BASE, true) },
  ],
  ['an amendment, too late', AMENDMENT, valid, TOO_LATE, begun(), expired],
  ['an amendment without a base', AMENDMENT, valid, IN_TIME, deal(), unknownBase],
  ['an amendment without a base, too late: the earlier code', AMENDMENT, valid, TOO_LATE, deal(), unknownBase],
  [
    'an amendment of nothing where another one is current',
    AMENDMENT,
    valid,
    IN_TIME,
    deal({ accepted: new Set([OTHER]), current: link(OTHER) }),
    unknownBase,
  ],
  [
    'an amendment whose base is quarantined, not accepted',
    AMENDMENT,
    valid,
    IN_TIME,
    deal({ quarantined: new Set([BASE]) }),
    unknownBase,
  ],
  [
    'an amendment of a base that is no longer current',
    AMENDMENT,
    valid,
    TOO_LATE,
    deal({ accepted: new Set([BASE, OTHER]), current: link(OTHER) }),
    { kind: 'equivocation', conflictsWith: link(OTHER), unexpired: false },
  ],
])('%s', (_, identified, verdict, arrivedAt, state, decision) => {
  expect(decide(examine(identified, verdict, arrivedAt), identified, state)).toEqual(decision);
});

test('error: a contract that was known and is not any more', () => {
  expect(() => decide(examine(FIRST, 'known', IN_TIME), FIRST, begun())).toThrow(
    'A contract that was known is not any more.',
  );
});
