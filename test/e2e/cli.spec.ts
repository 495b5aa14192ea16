import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildContract } from '@v402/contract';
import { v402, type CliResult } from '../support/cli.js';

/** The built command line in a process of its own; no other part. */
const data = join(import.meta.dirname, '../vectors/data');
const registry = join(data, 'trust-registry.json');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'v402-cli-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const fileOf = (name: string, content: string | Uint8Array, mode = 0o600): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
};

interface Vector {
  readonly now: string;
  readonly expect: { readonly code?: string; readonly contractId?: string; readonly shortRef?: string };
  readonly inputBase64: string;
}

const vectorAt = (path: string): Vector => JSON.parse(readFileSync(join(data, 'cases', path), 'utf8')) as Vector;
const bytesOf = ({ inputBase64 }: Vector): Uint8Array => Buffer.from(inputBase64, 'base64');
const jsonOf = ({ stdout }: CliResult): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

describe('v402 verify', () => {
  const base = vectorAt('accept/base.json');
  const judge = ['verify', '-', '--registry', registry, '--now', base.now];

  test('accepted: status 0, the outcome and the identity as text', async () => {
    const file = fileOf('base.json', bytesOf(base));
    expect(await v402(['verify', file, '--registry', registry, '--now', base.now])).toEqual({
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
    const result = await v402(['verify', '-', '--registry', registry, '--json'], { stdin: bytesOf(base) });
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
    const name = readdirSync(join(data, 'cases/reject')).find(
      (file) => vectorAt(`reject/${file}`).expect.code === 'superseded_unknown',
    )!;
    const amendment = vectorAt(`reject/${name}`);
    const { stdout } = await v402(['verify', '-', '--registry', registry, '--now', amendment.now], {
      stdin: bytesOf(amendment),
    });
    expect(stdout).toContain('note: The contract supersedes another');
  });

  test.each([
    ['no registry', ['verify', '-'], 'registry_missing'],
    ['no file', ['verify', '--registry', registry], "missing required argument 'file'"],
    ['a file that is not there', ['verify', '/nowhere.json', '--registry', registry], 'file_unreadable: /nowhere.json'],
    ['a registry that is not there', ['verify', '-', '--registry', '/nowhere'], 'file_unreadable: /nowhere'],
    ['a registry that is none', ['verify', '-', '--registry', join(data, 'keys.json')], 'trust_registry_invalid'],
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
        ['verify', '-', '--registry', registry],
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

test.each([
  ['--from', '2026-11-21T00:00:00Z'],
  ['--to', '2026-11-22T00:00:00Z'],
  ['--grace-seconds', '5'],
])('v402 reconcile --last with %s would mean nothing: status 2', async (option, value) => {
  const { status, stdout, stderr } = await v402(['reconcile', '--last', option, value]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(`error: option '--last' cannot be used with option '${option} `);
});

describe('v402 sign', () => {
  const { keys } = JSON.parse(readFileSync(join(data, 'keys.json'), 'utf8')) as {
    keys: { label: string; kid: string; privateKeyHex: string; privateJwk?: { d: string } }[];
  };
  const keyOf = (label: string) => keys.find((key) => key.label === label)!;
  const agreedAt = '2026-11-21T10:15:30.120Z';
  const contract = buildContract({ agreedAt });
  const hex = keyOf('buyer-eip712-1');
  const jwk = keyOf('seller-ed25519-1');
  let hexFile: string;
  let jwkFile: string;

  beforeAll(() => {
    hexFile = fileOf('buyer.hex', `0x${hex.privateKeyHex}\n`);
    jwkFile = fileOf('seller.jwk', JSON.stringify(jwk.privateJwk));
  });

  const signBoth = async (document: unknown): Promise<CliResult> => {
    const asBuyer = ['sign', '-', '--role', 'buyer', '--key', hexFile];
    const half = await v402(asBuyer, { stdin: JSON.stringify(document) });
    expect(half).toMatchObject({ status: 0, stderr: "The seller's signature is still missing.\n" });
    const asSeller = ['sign', '-', '--role', 'seller', '--key', jwkFile, '--kid', jwk.kid];
    return v402(asSeller, { stdin: half.stdout });
  };

  test('a contract signed with a hex key and with a JWK is accepted', async () => {
    const whole = await signBoth(contract);
    expect(whole).toMatchObject({ status: 0, stderr: '' });
    const signatures = (JSON.parse(whole.stdout) as { signatures: { role: string; suite: string; kid: string }[] })
      .signatures;
    expect(signatures).toMatchObject([
      { role: 'buyer', suite: 'eip712', kid: hex.kid },
      { role: 'seller', suite: 'jws', kid: jwk.kid },
    ]);
    const verdict = await v402(['verify', '-', '--registry', registry, '--now', agreedAt], { stdin: whole.stdout });
    expect(verdict.stdout).toMatch(/^accepted\n/);
    expect(verdict.status).toBe(0);
  });

  test('a signature takes the place of the same party’s, and --out writes the envelope', async () => {
    const whole = await signBoth(contract);
    const changed = JSON.parse(whole.stdout) as { signatures: { signature: string }[] };
    changed.signatures[1]!.signature = 'tampered';
    const out = join(folder, 'envelope.json');
    const again = ['sign', '-', '--role', 'seller', '--key', jwkFile, '--kid', jwk.kid, '--out', out];
    expect(await v402(again, { stdin: JSON.stringify(changed) })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(out, 'utf8')).toBe(whole.stdout);
  });

  test('what every handler would refuse is not signed: status 1', async () => {
    const wrong = { ...contract, terms: { ...contract.terms, total: '0.01' } };
    const args = ['sign', '-', '--role', 'buyer', '--key', hexFile];
    expect(await v402(args, { stdin: JSON.stringify(wrong) })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'Not signed, since every handler would refuse it: arithmetic_mismatch at /contract/terms/total.\n',
    });
  });

  test('a key that others may read is warned of', async () => {
    const open = fileOf('open.hex', hex.privateKeyHex, 0o644);
    const { status, stderr } = await v402(['sign', '-', '--role', 'buyer', '--key', open], {
      stdin: JSON.stringify(contract),
    });
    expect(status).toBe(0);
    expect(stderr).toContain(`warning: other users can read or write ${open}`);
  });

  test('an unusable key is status 2, and nothing shows any of it', async () => {
    const secret = `${hex.privateKeyHex}00`;
    const tooLong = fileOf('long.hex', secret);
    const noKid = fileOf('nokid.jwk', JSON.stringify({ ...jwk.privateJwk, kid: undefined }));
    const wrongPair = fileOf(
      'pair.jwk',
      JSON.stringify({ ...jwk.privateJwk, d: keyOf('buyer-ed25519-1').privateJwk!.d }),
    );
    for (const [file, code] of [
      [tooLong, 'private_key_invalid'],
      [noKid, 'private_key_without_kid'],
      [wrongPair, 'private_key_invalid'],
    ] as const) {
      const result = await v402(['sign', '-', '--role', 'seller', '--key', file], { stdin: JSON.stringify(contract) });
      expect(result).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(`^${code}: `) as string });
      expect(result.stderr).not.toContain(secret.slice(0, 12));
      expect(result.stderr).not.toContain(keyOf('buyer-ed25519-1').privateJwk!.d);
    }
  });

  test('a role that is none is wrong usage', async () => {
    const { status, stderr } = await v402(['sign', '-', '--role', 'broker', '--key', hexFile]);
    expect(status).toBe(2);
    expect(stderr).toContain('Allowed choices are buyer, seller');
  });
});

describe('v402 conformance', () => {
  const V402_TEST_POSTGRES_URL = process.env['V402_TEST_POSTGRES_URL'];

  /** A folder of few vectors, whose manifest counts what it holds. */
  const smallFolder = (name: string, byResult: Record<string, number>): string => {
    const dir = join(folder, name);
    for (const path of ['trust-registry.json', 'registries/good.json', 'cases/accept/base.json']) {
      cpSync(join(data, path), join(dir, path));
    }
    cpSync(join(data, 'cases/reject/json-empty.json'), join(dir, 'cases/reject/json-empty.json'));
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ count: 2, byResult, registries: 1 }));
    return dir;
  };

  test('all passed: one line each, the sum, status 0', async () => {
    const dir = smallFolder('good', { accepted: 1, malformed_json: 1 });
    const { status, stdout } = await v402(['conformance', dir], { env: { V402_TEST_POSTGRES_URL } });
    expect(stdout).toBe('ok registry good\nok base\nok json-empty\n3 passed, 0 failed\n');
    expect(status).toBe(0);
  });

  test('a wrong outcome and a missing case: FAILED with what was expected and got, status 1', async () => {
    const dir = smallFolder('bad', { accepted: 1, malformed_json: 1, expired: 1 });
    const file = join(dir, 'cases/accept/base.json');
    const vector = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...vector, expect: { outcome: 'rejected', code: 'expired' } }));
    const { status, stdout } = await v402(['conformance', dir], { env: { V402_TEST_POSTGRES_URL } });
    expect(stdout).toMatch(/^FAILED base: expected rejected expired, got accepted [0-9a-f]{64} [0-9A-Z]{26}$/m);
    expect(stdout).toContain('FAILED manifest.json: expected 1 cases of accepted, got 0\n');
    expect(stdout).toMatch(/\n2 passed, 2 failed\n$/);
    expect(status).toBe(1);
  });

  test.each([
    ['no folder', '/nowhere', 'file_unreadable: /nowhere/manifest.json'],
    ['a folder of something else', join(data, '..'), 'file_unreadable'],
  ])('%s: status 2', async (_, dir, sentence) => {
    const { status, stdout, stderr } = await v402(['conformance', dir]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});

describe('help', () => {
  test('every command has one, and says its exit statuses', async () => {
    const { status, stdout } = await v402(['--help']);
    expect(status).toBe(0);
    const [section = ''] = stdout.split('Commands:\n')[1]?.split('\n\n') ?? [];
    const listed = [...section.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!);
    const commands = listed.filter((name) => name !== 'help');
    expect(commands).toEqual(expect.arrayContaining(['verify', 'sign', 'conformance', 'show', 'migrate', 'topics']));
    for (const command of commands) {
      const help = await v402([command, '--help']);
      expect(help).toMatchObject({
        status: 0,
        stderr: '',
        stdout: expect.stringContaining('Exit status: 0') as string,
      });
    }
  });

  test('every exit status that a command can have is in the overview', async () => {
    const { stdout } = await v402(['--help']);
    const [, statuses = ''] = stdout.split('Exit status:\n');
    expect([...statuses.matchAll(/^ {2}(\d+) /gm)].map(([, status]) => Number(status))).toEqual([
      0, 1, 2, 3, 75, 78, 130,
    ]);
    expect((await v402(['run', '--help'])).stdout).toMatch(/75 ended by a signal/);
  });

  test('the version is the package’s', async () => {
    expect(await v402(['--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
  });

  test('nothing asked: the help on standard error, status 2', async () => {
    const { status, stdout, stderr } = await v402([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('Usage: v402');
  });
});
