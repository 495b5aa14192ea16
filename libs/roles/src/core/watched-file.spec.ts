import { mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, TerminalError } from '@v402/domain';
import { WatchedFile } from './watched-file.js';

const folder = mkdtempSync(join(tmpdir(), 'v402-watched-'));
const file = join(folder, 'watched.txt');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Always at the same moment, as on a file system with a coarse clock. */
const write = (text: string, path = file): void => {
  writeFileSync(path, text);
  utimesSync(path, 1_000, 1_000);
};

let isAway = false;
let reads = 0;
let faults: string[] = [];
let changes: string[] = [];
beforeEach(() => {
  reads = 0;
  faults = [];
  changes = [];
});

const read = (path: string): string => {
  reads += 1;
  let text: string;
  try {
    if (isAway) throw new Error('EMFILE');
    text = readFileSync(path, 'utf8');
  } catch {
    throw new TerminalError('file_unreadable', 'The file cannot be read.');
  }
  if (text === 'a bug') throw new Error('no fault of the file');
  if (text.startsWith('bad')) throw new TerminalError('file_invalid', 'The file is at fault.');
  return text;
};
const watch = (retryMs?: number): WatchedFile<string> =>
  new WatchedFile(
    file,
    read,
    { onFault: (error) => faults.push(codeOf(error)), onChange: (text) => changes.push(text) },
    retryMs,
  );

test('default: a file that stays as it is is read once', () => {
  write('one');
  const watched = watch();
  expect([watched.content, watched.content]).toEqual(['one', 'one']);
  expect(reads).toBe(1);
  expect(changes).toEqual([]);
});

test('behavior: a changed file is read again, even where its time says nothing', () => {
  write('one');
  const watched = watch();
  write('three');
  expect(watched.content).toBe('three');
  const other = join(folder, 'other.txt');
  write('seven', other);
  renameSync(other, file);
  expect(watched.content).toBe('seven');
  expect(changes).toEqual(['three', 'seven']);
});

test('error: a file that went bad is told of once per change, and the last good one counts until it is corrected', () => {
  write('one');
  const watched = watch();
  write('bad one');
  expect([watched.content, watched.content]).toEqual(['one', 'one']);
  expect(faults).toEqual(['file_invalid']);
  rmSync(file);
  expect([watched.content, watched.content]).toEqual(['one', 'one']);
  expect(faults).toEqual(['file_invalid', 'file_unreadable']);
  write('one');
  expect(watched.content).toBe('one');
  expect(changes).toEqual(['one']);
});

test('error: without a first good file nothing counts', () => {
  write('bad');
  expect(() => watch()).toThrow(expect.objectContaining({ code: 'file_invalid' }) as Error);
});

test('error: what is no fault of the file is told of, too', () => {
  write('one');
  const watched = watch();
  write('a bug');
  expect(watched.content).toBe('one');
  expect(faults).toEqual(['unexpected_error']);
});

test('behavior: a file that could not be read is tried again although it stays as it is', () => {
  write('one');
  const watched = watch(0);
  write('other');
  isAway = true;
  expect([watched.content, watched.content]).toEqual(['one', 'one']);
  expect(faults).toEqual(['file_unreadable']);
  isAway = false;
  expect(watched.content).toBe('other');
  expect(changes).toEqual(['other']);
});
