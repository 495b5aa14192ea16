import { mkdir, writeFile } from 'node:fs/promises';
import { DOCS } from './docs-folder.js';
import { renderDocuments } from './documents.js';

// `npm run docs:events` writes the generated documentation; documents.spec.ts fails when it is stale.
await mkdir(new URL('schemas/', DOCS), { recursive: true });
for (const [path, text] of await renderDocuments()) await writeFile(new URL(path, DOCS), text);
