import type { RegisteredKey } from './registry.schema.js';
import { isNotValid, isRevoked, type ContractTimes } from './key-validity.js';

const FROM = '2025-01-01T00:00:00Z';
const END = '2026-01-01T00:00:00Z';
const BEFORE_END = '2025-12-31T23:59:59.999Z';
const LAST_OF_GRACE = '2026-01-02T00:00:00.000Z';
const AFTER_GRACE = '2026-01-02T00:00:00.0001Z';

function key(members: Partial<RegisteredKey>): RegisteredKey {
  return { kid: 'k', suite: 'jws', roles: ['buyer'], validFrom: FROM, ...members };
}

function times(agreedAt: string, arrival = agreedAt, graceSeconds = 86_400): ContractTimes {
  return { agreedAt, arrival, graceSeconds };
}

describe('key_not_valid', () => {
  it.each([
    ['agreed when it begins', key({}), times(FROM), false],
    ['agreed before it begins', key({}), times('2024-12-31T23:59:59.9999Z'), true],
    ['agreed just before its end', key({ validUntil: END }), times(BEFORE_END), false],
    ['agreed at its end', key({ validUntil: END }), times(END), true],
    ['arrived at the grace’s last moment', key({ validUntil: END }), times(BEFORE_END, LAST_OF_GRACE), false],
    ['arrived after the grace', key({ validUntil: END }), times(BEFORE_END, AFTER_GRACE), true],
    ['arrived at the end, without grace', key({ validUntil: END }), times(BEFORE_END, END, 0), false],
    [
      'arrived after the end, without grace',
      key({ validUntil: END }),
      times(BEFORE_END, '2026-01-01T00:00:01Z', 0),
      true,
    ],
    ['arrived years later by a key without end', key({}), times(END, '2036-01-01T00:00:00Z'), false],
    [
      'an end at which no calendar has room for a grace',
      key({ validUntil: '9999-12-31T23:59:59Z' }),
      times(END),
      false,
    ],
  ])('%s', (_, registered, at, expected) => {
    expect(isNotValid(registered, at)).toBe(expected);
  });
});

describe('key_revoked', () => {
  it.each([
    ['never revoked', key({}), times(END), false],
    ['agreed before', key({ revokedAt: END }), times(BEFORE_END), false],
    ['agreed at that moment', key({ revokedAt: END }), times(END), true],
    ['arrived at the grace’s last moment', key({ revokedAt: END }), times(BEFORE_END, LAST_OF_GRACE), false],
    [
      'arrived after the grace',
      key({ revokedAt: END, revocationReason: 'retired' }),
      times(BEFORE_END, AFTER_GRACE),
      true,
    ],
    ['compromised, agreed long before', key({ revokedAt: END, revocationReason: 'compromised' }), times(FROM), true],
  ])('%s', (_, registered, at, expected) => {
    expect(isRevoked(registered, at)).toBe(expected);
  });
});
