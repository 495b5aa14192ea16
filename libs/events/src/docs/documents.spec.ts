import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { EVENT_TYPES } from '../catalogue.js';
import { DOCS, renderDocuments } from './documents.js';
import {
  SAMPLE_AMENDMENT,
  SAMPLE_AMENDMENT_ID,
  SAMPLE_CONFLICT,
  SAMPLE_CONFLICT_ID,
  SAMPLE_CONTRACT,
  SAMPLE_CONTRACT_ID,
} from './sample-contract.js';

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 8785 for the samples: their member names are ASCII and their numbers small integers. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );

describe('generated documentation', () => {
  test('behavior: is up to date (if not: npm run docs:events)', async () => {
    for (const [path, text] of await renderDocuments()) {
      expect([path, await readFile(new URL(path, DOCS), 'utf8')]).toEqual([path, text]);
    }
  });

  test('behavior: there is one schema for each event and no other', async () => {
    const files = await readdir(new URL('schemas/', DOCS));
    expect(files.sort()).toEqual(EVENT_TYPES.map((type) => `${type}.json`).sort());
  });

  test.each([
    ['contract', SAMPLE_CONTRACT, SAMPLE_CONTRACT_ID],
    ['amendment', SAMPLE_AMENDMENT, SAMPLE_AMENDMENT_ID],
    ['conflict', SAMPLE_CONFLICT, SAMPLE_CONFLICT_ID],
  ])('behavior: the sample %s has the contractId that it says', (_, contract, contractId) => {
    expect(createHash('sha256').update(canonical(contract)).digest('hex')).toBe(contractId);
  });
});
