import { readFile } from 'node:fs/promises';
import { EVENT_TYPES, type EventType } from '../catalogue.js';
import { DOCS } from './docs-folder.js';

/**
 * One published event of each type, as JSON laid out for reading. A test run of the use cases has recorded them
 * (`npm run docs:examples`), and test/integration/event-examples.spec.ts fails where the use cases publish anything else.
 */
export async function readExamples(): Promise<Readonly<Record<EventType, string>>> {
  const texts = EVENT_TYPES.map(async (type): Promise<[EventType, string]> => {
    return [type, await readFile(new URL(`examples/${type}.json`, DOCS), 'utf8')];
  });
  return Object.fromEntries(await Promise.all(texts)) as Record<EventType, string>;
}
