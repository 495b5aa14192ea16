import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v402, type CliResult } from '../support/cli.js';
import { TestFolder } from '../support/test-folder.js';
import { TRUST_REGISTRY, VECTORS } from '../support/trade.js';

/** The built command line in a process of its own; no other part. */
const folder = new TestFolder();

afterAll(() => {
  folder.remove();
});

interface Vector {
  readonly now: string;
  readonly expect: { readonly code?: string; readonly contractId?: string; readonly shortRef?: string };
  readonly inputBase64: string;
}

const vectorAt = (path: string): Vector => JSON.parse(readFileSync(join(VECTORS, 'cases', path), 'utf8')) as Vector;
const bytesOf = ({ inputBase64 }: Vector): Uint8Array => Buffer.from(inputBase64, 'base64');
const jsonOf = ({ stdout }: CliResult): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

describe('v402 verify', () => {
  const base = vectorAt('accept/base.json');
  const judge = ['verify', '-', '--registry', TRUST_REGISTRY, '--now', base.now];

  test('accepted: status 0, the outcome and the identity as text', async () => {
    const file = folder.file('base.json', bytesOf(base));
    expect(await v402(['verify', file, '--registry', TRUST_REGISTRY, '--now', base.now])).toEqual({
      status: 0,
      stdout: `accepted\ncontractId  ${base.expect.contractId!}\nshortRef    ${base.expect.shortRef!}\n`,
      stderr: '',
    });
  });

  test('accepted from standard input, as JSON', async () => {
    const result = await v402([...judge, '--json'], { stdin: bytesOf(base) });
    expect(result.status).toBe(0);
    const { contractId, shortRef } = base.expect;
    expect(jsonOf(result)).toEqual({
      outcome: 'accepted',
      code: null,
      where: null,
      contractId,
      shortRef,
      now: base.now,
      notes: [],
    });
  });

  test('refused: status 1, the code and the place', async () => {
    const late = [...judge.slice(0, -1), '9999-01-01T00:00:00Z'];
    const text = await v402(late, { stdin: bytesOf(base) });
    expect(text).toMatchObject({ status: 1, stderr: '' });
    expect(text.stdout).toMatch(/^rejected: expired at \/contract\/expiresAt\n/);
    const broken = await v402([...judge, '--json'], { stdin: '{"contract":1,"contract":2}' });
    expect(broken.status).toBe(1);
    expect(jsonOf(broken)).toMatchObject({ outcome: 'rejected', code: 'duplicate_key', contractId: null });
  });

  test('without --now it says by which clock it judged', async () => {
    const result = await v402(['verify', '-', '--registry', TRUST_REGISTRY, '--json'], { stdin: bytesOf(base) });
    const { now, notes } = jsonOf(result) as { now: string; notes: string[] };
    expect(Math.abs(Date.now() - Date.parse(now))).toBeLessThan(60_000);
    expect(notes).toEqual([expect.stringContaining("this machine's clock")]);
  });

  test('who the handler is decides on an audience and on the parties', async () => {
    const forOne = vectorAt('accept/audience-match.json');
    const stdin = bytesOf(forOne);
    expect((await v402([...judge, '--handler-id', 'handler-1'], { stdin })).status).toBe(0);
    expect((await v402(judge, { stdin })).stdout).toContain('audience_mismatch at /contract/audience');
    const { stdout } = await v402([...judge, '--parties', 'did:web:a.example'], { stdin: bytesOf(base) });
    expect(stdout).toContain('audience_mismatch at /contract/parties');
    expect((await v402([...judge, '--parties', '*'], { stdin: bytesOf(base) })).status).toBe(0);
  });

  test('a transcript may be required', async () => {
    const { stdout } = await v402([...judge, '--require-transcript'], { stdin: bytesOf(base) });
    expect(stdout).toContain('transcript_mismatch');
  });

  test('an amendment is judged with a note', async () => {
    const name = readdirSync(join(VECTORS, 'cases/reject')).find(
      (file) => vectorAt(`reject/${file}`).expect.code === 'superseded_unknown',
    )!;
    const amendment = vectorAt(`reject/${name}`);
    const { stdout } = await v402(['verify', '-', '--registry', TRUST_REGISTRY, '--now', amendment.now], {
      stdin: bytesOf(amendment),
    });
    expect(stdout).toContain('note: The contract supersedes another');
  });

  test.each([
    ['no registry', ['verify', '-'], 'registry_missing'],
    ['no file', ['verify', '--registry', TRUST_REGISTRY], "missing required argument 'file'"],
    [
      'a file that is not there',
      ['verify', '/nowhere.json', '--registry', TRUST_REGISTRY],
      'file_unreadable: /nowhere.json',
    ],
    ['a registry that is not there', ['verify', '-', '--registry', '/nowhere'], 'file_unreadable: /nowhere'],
    ['a registry that is none', ['verify', '-', '--registry', join(VECTORS, 'keys.json')], 'trust_registry_invalid'],
    ['a time that is none', [...judge.slice(0, -1), 'tomorrow'], 'An instant is like'],
    ['an unknown option', [...judge, '--force'], "unknown option '--force'"],
    ['an unknown command', ['settle'], "unknown command 'settle'"],
  ])('%s: status 2, one sentence, no stack', async (_, args, sentence) => {
    const { status, stdout, stderr } = await v402(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('v402 verify, of evidence', () => {
  const written = { format: 'v402-evidence/1', audit: [{ details: { '\u001b[31mX': 1 } }], sealed: '0' };
  const damaged = JSON.stringify(written, null, 2);
  const twice = damaged.replace('"sealed"', '"format": "v402-evidence/1",\n  "sealed"');
  // Everything that a terminal would obey; line breaks are the command's own.
  const unseen = /[^\P{Cc}\n]/u;

  test('a file that does not hold, or cannot be read, fails as evidence: status 1, with or without a registry', async () => {
    for (const stdin of [damaged, twice, damaged.slice(0, -1)]) {
      for (const args of [
        ['verify', '-'],
        ['verify', '-', '--registry', TRUST_REGISTRY],
      ]) {
        const { status, stdout, stderr } = await v402(args, { stdin });
        expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
        expect(stdout).toMatch(/^failed\nFAILED {7}format: /);
      }
    }
    expect((await v402(['verify', '-'], { stdin: twice })).stdout).toContain('/format cannot be read: duplicate_key\n');
  });

  test('what a stranger called a member reaches no terminal, as text or as JSON', async () => {
    const text = await v402(['verify', '-'], { stdin: damaged });
    expect(text.stdout).toContain(String.raw`/audit/0/details/\u{1b}[31mX`);
    expect(text.stdout).not.toMatch(unseen);
    const json = await v402(['verify', '-', '--json'], { stdin: damaged });
    expect(json.stdout).not.toMatch(unseen);
    const { checks } = jsonOf(json) as { checks: { faults: { where: string }[] }[] };
    expect(checks[0]!.faults.map(({ where }) => where)).toContain('/audit/0/details/\u001b[31mX');
  });

  test.each([
    [['--now', '2026-11-21T10:15:30Z'], '--now'],
    [['--handler-id', 'handler-1', '--parties', '*'], '--handler-id, --parties'],
    [['--require-transcript'], '--require-transcript'],
  ])('%j would mean nothing: status 2', async (options, named) => {
    expect(await v402(['verify', '-', ...options], { stdin: damaged })).toEqual({
      status: 2,
      stdout: '',
      stderr: `option_of_contracts: An evidence file is judged by what is recorded in it, not by ${named}.\n`,
    });
  });
});
