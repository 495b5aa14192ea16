import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeText } from './files.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'v402-files-'));
  file = join(folder, 'out.json');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('default: only its owner can read what was written, and nothing else is left', async () => {
  await writeText(file, 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(modeOf(file)).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['out.json']);
});

test('behavior: a file that others could read is replaced by one that they cannot', async () => {
  writeFileSync(file, 'old');
  chmodSync(file, 0o644);
  await writeText(file, 'new');
  expect(modeOf(file)).toBe(0o600);
});

test('behavior: whoever reads the old file goes on reading it, never a part of the new one', async () => {
  writeFileSync(file, 'old');
  const reader = await open(file);
  await writeText(file, 'new');
  expect(await reader.readFile('utf8')).toBe('old');
  await reader.close();
});

test('behavior: a link stays, and what it points to is replaced', async () => {
  const link = join(folder, 'link.json');
  writeFileSync(file, 'old');
  symlinkSync(file, link);
  await writeText(link, 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(readdirSync(folder).sort()).toEqual(['link.json', 'out.json']);
});

test('behavior: what is no file is written to, not replaced', async () => {
  const before = statSync('/dev/null');
  await writeText('/dev/null', 'new');
  expect(statSync('/dev/null').ino).toBe(before.ino);
});

test('error: a folder stays what it is', async () => {
  mkdirSync(file);
  await expect(writeText(file, 'new')).rejects.toMatchObject({ code: 'file_unwritable' });
  expect(readdirSync(file)).toEqual([]);
});

test('error: where there is no such folder nothing is written', async () => {
  const nowhere = join(folder, 'nowhere', 'out.json');
  await expect(writeText(nowhere, 'new')).rejects.toMatchObject({ code: 'file_unwritable' });
  expect(readdirSync(folder)).toEqual([]);
});
