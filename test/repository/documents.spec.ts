import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => !/(^|\/)(node_modules|dist|generated)(\/|$)/.test(file))
    .map((file) => join(folder, file));
const sources = ['libs', 'apps', 'test'].flatMap(filesOf).filter((file) => file.endsWith('.ts'));

/** The texts of all specs of a name: two folders may each have a `text.spec.ts`. */
const specsNamed = (name: string): string[] => sources.filter((file) => basename(file) === name).map(read);

/** `<file>.spec.ts`: "name of a test", "another"; "a third". */
const REFERENCE = /`([\w.-]+\.spec\.ts)`: ("[^"]+"(?:[,;] "[^"]+")*)/g;

const referencesOf = (document: string): (readonly [file: string, test: string])[] =>
  [...read(document).matchAll(REFERENCE)].flatMap(([, file = '', names = '']) =>
    [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => [file, name] as const),
  );

/** A spec has a test if its name stands there as a whole; of generated ones, the name of what they are made from does. */
function hasTest(file: string, name: string): boolean {
  if (file === 'fuzz.spec.ts' && sources.some((source) => read(source).includes(`defineTarget('${name}'`))) return true;
  const written = [`'${name}'`, `\`${name}\``, `"${name}"`, `'${name.replaceAll("'", String.raw`\'`)}'`];
  return specsNamed(file).some((text) => written.some((form) => text.includes(form)));
}

describe.each(['docs/threat-model.md', 'docs/transactions.md'])('%s', (document) => {
  const references = referencesOf(document);

  test('names tests', () => {
    expect(references.length).toBeGreaterThan(10);
  });

  test('names only tests that exist', () => {
    expect(references.filter(([file, name]) => !hasTest(file, name))).toEqual([]);
  });
});

test('a test that does not exist is noticed', () => {
  expect(hasTest('fuzz.spec.ts', 'nobody wrote this')).toBe(false);
  expect(hasTest('fuzz.spec.ts', 'strict-json')).toBe(true);
});

test('no service fetches anything', () => {
  const services = sources.filter((file) => /^(libs|apps)\//.test(file) && !file.endsWith('.spec.ts'));
  expect(services.length).toBeGreaterThan(200);
  // Serving requests is not making them.
  // Kafka's own protocol has a request of that name.
  const makesRequests =
    /(?<!broker\.)\bfetch\(|\b(?:http|https)\.(?:get|request)\(|import \{[^}]*\brequest\b[^}]*\} from 'node:https?'|from '(?:undici|axios)'/;
  expect(services.filter((file) => makesRequests.test(read(file)))).toEqual([]);
});
