import { readdir, readFile } from 'node:fs/promises';
import { EVENT_TYPES } from '../catalogue.js';
import { DOCS } from './docs-folder.js';
import { renderDocuments } from './documents.js';

describe('generated documentation', () => {
  test('behavior: is up to date (if not: npm run docs:events)', async () => {
    for (const [path, text] of await renderDocuments()) {
      expect([path, await readFile(new URL(path, DOCS), 'utf8')]).toEqual([path, text]);
    }
  });

  test.each(['schemas', 'examples'])('behavior: %s/ has one file for each event and no other', async (folder) => {
    const files = await readdir(new URL(`${folder}/`, DOCS));
    expect(files.sort()).toEqual(EVENT_TYPES.map((type) => `${type}.json`).sort());
  });
});
