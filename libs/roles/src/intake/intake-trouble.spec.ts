import type { ConsumerProgress } from '@v402/messaging';
import { intakeTrouble } from './intake-trouble.js';

const LIMIT_MS = 10_000;
const FAILING = { topic: 't', partition: 0, code: 'registry_invalid', kind: 'terminal', attempts: 3 } as const;

const progress = (overrides: Partial<ConsumerProgress> = {}): ConsumerProgress => ({
  state: 'consuming',
  code: null,
  message: '',
  assigned: [],
  failing: [],
  missingTopics: [],
  handling: 0,
  longestHandlingMs: null,
  handledRecords: 0,
  sinceHandledMs: null,
  sinceConsumingMs: 0,
  sinceContactMs: 10,
  sinceUnreadableMs: null,
  ...overrides,
});

test.each<[string, string | null, Partial<ConsumerProgress> | null]>([
  ['at the end of its partitions for hours', null, { sinceHandledMs: 36_000_000 }],
  ['at work within the limit', null, { handling: 1, longestHandlingMs: 9_999, sinceHandledMs: 36_000_000 }],
  ['out of its group for a moment', null, { state: 'waiting', code: 'broker_unavailable', sinceConsumingMs: 9_999 }],
  ['failing for a moment', null, { failing: [{ ...FAILING, failingMs: 9_999 }] }],
  ['in its group again a moment after a compressed record', 'compression_unsupported', { sinceUnreadableMs: 10 }],
  ['without compressed records for a while', null, { sinceUnreadableMs: 10_001 }],
  ['not started', 'not_started', null],
  ['never joined', 'not_joined', { state: 'starting', sinceConsumingMs: null, sinceContactMs: null }],
  ['never joined, and says why', 'topic_missing', { state: 'waiting', code: 'topic_missing', sinceConsumingMs: null }],
  [
    'out of its group',
    'broker_unavailable',
    { state: 'waiting', code: 'broker_unavailable', sinceConsumingMs: 10_001 },
  ],
  ['without contact', 'consumer_stalled', { sinceContactMs: 10_001 }],
  ['with a handler that does not end', 'handler_stuck', { handling: 1, longestHandlingMs: 10_001 }],
  ['with a partition that fails', 'registry_invalid', { failing: [{ ...FAILING, failingMs: 10_001 }] }],
])('%s: %s', (_, code, overrides) => {
  expect(intakeTrouble(overrides === null ? null : progress(overrides), LIMIT_MS)).toBe(code);
});
