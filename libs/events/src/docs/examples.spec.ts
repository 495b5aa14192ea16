import type { Side } from '@v402/domain';
import { EVENT_TYPES, type EventType } from '../catalogue.js';
import { eventId } from '../identity.js';
import { readExamples } from './examples.js';
import { ID_PARTS } from './id-parts.js';

interface Example {
  readonly id: string;
  readonly source: string;
  readonly subject: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>> & { readonly side?: Side };
}

const examples = await readExamples();
const exampleOf = (type: EventType): Example => JSON.parse(examples[type]) as Example;

/** The template with the members of `data` in place; undefined where one is not there. */
function filled(template: string, data: Example['data']): string | undefined {
  const members = [...template.matchAll(/<(\w+)>/g)].map(([, member = '']) => member);
  if (!members.every((member) => member in data)) return undefined;
  return template.replace(/<(\w+)>/g, (_, member: string) => String(data[member]));
}

describe.each(EVENT_TYPES)('the example of %s', (type) => {
  const { id, source, subject, data, ...context } = exampleOf(type);

  test('behavior: is of that type', () => {
    expect(context.type).toBe(type);
  });

  test('behavior: its id is what docs/events.md says how to compute', () => {
    const { subjectId, n } = ID_PARTS[type];
    const what = subjectId.map((template) => filled(template, data)).find((text) => text !== undefined);
    // The run that the examples come from loses one order's outcome, once.
    const times = n === 'count' ? 1 : Number(filled(n, data));
    expect(eventId(source, subject, data.side, type, what ?? '', times)).toBe(id);
  });
});
