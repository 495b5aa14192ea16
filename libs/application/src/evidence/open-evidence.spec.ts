import { buildContract } from '@v402/contract';
import { openEvidence } from './open-evidence.js';

const opened = (text: string): ReturnType<typeof openEvidence> => openEvidence(Buffer.from(text));
const faultyWith = (where: string, what: string) => ({ outcome: 'faulty', faults: [{ where, what }] });

/** Laid out as `v402 evidence` writes it. */
const written = JSON.stringify({ format: 'v402-evidence/1', sealed: '0' }, undefined, 2);

test.each([
  ['a contract', JSON.stringify({ contract: buildContract(), signatures: [] })],
  ['a contract that cannot be read', '{"contract":1,"contract":2}'],
  ['a contract whose texts speak of evidence', String.raw`{"contract":"\"format\":\"v402-evidence/1\"","contract":2}`],
  ['another format', '{"format":"v402-trust-registry/1"}'],
  ['a format that is none', '{"format":402}'],
  ['a list', '["v402-evidence/1"]'],
  ['nothing', ''],
])('behavior: %s is no evidence', (_, text) => {
  expect(opened(text)).toEqual({ outcome: 'not_evidence' });
});

test.each([
  [
    'a member twice',
    written.replace('"sealed"', '"format": "v402-evidence/1",\n  "sealed"'),
    '/format',
    'duplicate_key',
  ],
  ['a member twice before the format', written.replace('{', '{"sealed":"1",'), '/sealed', 'duplicate_key'],
  ['its end missing', written.slice(0, -2), '', 'malformed_json'],
  ['a mark before it', `\uFEFF${written}`, '', 'malformed_json'],
])('error: evidence with %s is faulty evidence', (_, text, where, code) => {
  expect(opened(text)).toEqual(faultyWith(where, `cannot be read: ${code}`));
});

test('error: another version is faulty evidence', () => {
  const { outcome } = opened('{"format":"v402-evidence/2"}');
  expect(outcome).toBe('faulty');
});

test('error: each fault has its place, whatever the member is called', () => {
  const name = 'a: b/c~d\u001b[31m';
  const result = opened(JSON.stringify({ format: 'v402-evidence/1', audit: [{ details: { [name]: 1 } }] }));
  const places = result.outcome === 'faulty' ? result.faults.map(({ where }) => where) : [];
  expect(places).toEqual(expect.arrayContaining(['/audit/0/digest', '/audit/0/details/a: b~1c~0d\u001b[31m']));
});
