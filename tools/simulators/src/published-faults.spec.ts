import { publishedFaults, type PublishedRecord } from './published-faults.js';

const record = (id: string, sequence: number, changes: Partial<PublishedRecord> = {}): PublishedRecord => ({
  ...{ topic: 'events', id, subject: 's', sequence, fact: `fact ${id}` },
  ...changes,
});
const [one, two, three] = [record('a', 1), record('b', 2), record('c', 3)];

test('default: each stream counts for itself, and what has no sequence counts for nothing', () => {
  const other = record('d', 1, { subject: 'other' });
  const elsewhere = record('e', 1, { topic: 'payments' });
  const { sequence, ...unnumbered } = record('f', 9);
  expect(sequence).toBe(9);
  expect(publishedFaults([one, other, two, elsewhere, unnumbered, three])).toEqual([]);
});

test('behavior: what is published again is no fault, wherever that happens', () => {
  expect(publishedFaults([one, two, one, two, three, one])).toEqual([]);
});

test.each([
  ['a gap', [one, three], 'events: sequence 3 instead of 2 in events s'],
  ['a first that is none', [two], 'events: sequence 2 instead of 1 in events s'],
  ['two that are exchanged', [one, three, two], 'events: sequence 3 instead of 2 in events s'],
  ['one number twice', [one, two, record('c', 2)], 'events: sequence 2 instead of 3 in events s'],
  ['an id of two facts', [one, record('a', 1, { fact: 'another' })], 'events: the id a means "fact a" and "another"'],
])('error: %s', (_, records, fault) => {
  expect(publishedFaults(records)[0]).toBe(fault);
});
