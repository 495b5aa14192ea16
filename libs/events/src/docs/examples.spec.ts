import { EVENT_TYPES } from '../catalogue.js';
import { expectedEventId, readEvent } from '../read-event.js';
import { readExamples } from './examples.js';

const examples = await readExamples();
describe.each(EVENT_TYPES)('the example of %s', (type) => {
  const event = readEvent(JSON.parse(examples[type]));

  test('behavior: is read as an event of that type', () => {
    expect(event?.type).toBe(type);
  });

  test('behavior: its id is what docs/events.md says how to compute', () => {
    // The run that the examples come from loses one order's outcome, once.
    expect(event && expectedEventId(event, 1)).toBe(event?.id);
  });
});
