import { readFileSync } from 'node:fs';
import { METRICS, type MetricDefinition } from './catalogue.js';

const file = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
const metrics = Object.entries(METRICS) as [string, MetricDefinition][];

/** The rows of the table of metrics, cell by cell. */
const rows = file
  .split('\n')
  .filter((line) => line.startsWith('| `v402_'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test('docs/operations.md has every metric as it is, in the order of the catalogue, and no other', () => {
  expect(rows).toEqual(
    metrics.map(([name, { type, labels, help }]) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  );
});

test('names begin with v402 and end with their unit; help is a sentence', () => {
  const units = /_(total|seconds|messages|records|rows|differences|open|blocked|up|state|ready|paused|parked|unowned)$/;
  for (const [name, { help, type }] of metrics) {
    expect(name).toMatch(/^v402_[a-z_]+$/);
    expect(name).toMatch(units);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(help).toMatch(/\.$/);
  }
});
