import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildContract } from '@v402/contract';
import { v402, type CliResult } from '../support/cli.js';
import { TestFolder } from '../support/test-folder.js';
import { TRUST_REGISTRY, VECTORS } from '../support/trade.js';

/** The built command line in a process of its own; no other part. */
const folder = new TestFolder();

afterAll(() => {
  folder.remove();
});

describe('v402 sign', () => {
  const { keys } = JSON.parse(readFileSync(join(VECTORS, 'keys.json'), 'utf8')) as {
    keys: { label: string; kid: string; privateKeyHex: string; privateJwk?: { d: string } }[];
  };
  const keyOf = (label: string) => keys.find((key) => key.label === label)!;
  const agreedAt = '2026-11-21T10:15:30.120Z';
  const contract = buildContract({ agreedAt });
  const hex = keyOf('buyer-eip712-1');
  const jwk = keyOf('seller-ed25519-1');
  const hexFile = folder.file('buyer.hex', `0x${hex.privateKeyHex}\n`);
  const jwkFile = folder.file('seller.jwk', JSON.stringify(jwk.privateJwk));

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
    const verdict = await v402(['verify', '-', '--registry', TRUST_REGISTRY, '--now', agreedAt], {
      stdin: whole.stdout,
    });
    expect(verdict.stdout).toMatch(/^accepted\n/);
    expect(verdict.status).toBe(0);
  });

  test('a signature takes the place of the same party’s, and --out writes the envelope', async () => {
    const whole = await signBoth(contract);
    const changed = JSON.parse(whole.stdout) as { signatures: { signature: string }[] };
    changed.signatures[1]!.signature = 'tampered';
    const out = join(folder.path, 'envelope.json');
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
    const open = folder.file('open.hex', hex.privateKeyHex, 0o644);
    const { status, stderr } = await v402(['sign', '-', '--role', 'buyer', '--key', open], {
      stdin: JSON.stringify(contract),
    });
    expect(status).toBe(0);
    expect(stderr).toContain(`warning: other users can read or write ${open}`);
  });

  test('an unusable key is status 2, and nothing shows any of it', async () => {
    const secret = `${hex.privateKeyHex}00`;
    const tooLong = folder.file('long.hex', secret);
    const noKid = folder.file('nokid.jwk', JSON.stringify({ ...jwk.privateJwk, kid: undefined }));
    const wrongPair = folder.file(
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
