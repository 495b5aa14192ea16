import { readdirSync, readFileSync } from 'node:fs';
import { ALARMS } from './alarm-codes.js';

const root = new URL('../../../../', import.meta.url);
const page = readFileSync(new URL('docs/operations.md', root), 'utf8');

/** The rows of the section, cell by cell. */
const rowsOf = (heading: string): string[][] =>
  (page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test('docs/operations.md has every alarm as it is, in the order of the catalogue, and no other', () => {
  expect(rowsOf('Alarms')).toEqual(
    Object.entries(ALARMS).map(([code, { meaning, action }]) => [`\`${code}\``, meaning, action]),
  );
});

test('every alarm is raised somewhere', () => {
  const sources = readdirSync(new URL('libs', root), { recursive: true, encoding: 'utf8' })
    .filter((path) => /^[^/]+\/src\/.*\.ts$/.test(path) && !/\.spec\.ts$|alarm-codes\.ts$/.test(path))
    .map((path) => readFileSync(new URL(`libs/${path}`, root), 'utf8'));
  expect(sources.length).toBeGreaterThan(100);
  const isRaised = (code: string): boolean => sources.some((source) => source.includes(`'${code}'`));
  expect(Object.keys(ALARMS).filter((code) => !isRaised(code))).toEqual([]);
});
