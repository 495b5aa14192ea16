import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reachableTemporaryFolder, unprivilegedUser } from './postgres-binaries.js';

describe('unprivilegedUser', () => {
  const daemon = 'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin';
  const root = 'root:x:0:0:root:/root:/bin/bash';

  it('prefers nobody', () => {
    const nobody = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';
    expect(unprivilegedUser([root, daemon, nobody, ''].join('\n'))).toEqual({ uid: 65534, gid: 65533 });
  });

  it('takes another where there is no nobody', () => {
    expect(unprivilegedUser([root, daemon].join('\n'))).toEqual({ uid: 1, gid: 1 });
  });

  it('never takes root, nor a group of root', () => {
    expect(unprivilegedUser([root, 'toor:x:0:5::/:', 'operator:x:11:0::/:'].join('\n'))).toBeUndefined();
  });
});

describe('reachableTemporaryFolder', () => {
  const stranger = { uid: 65_000, gid: 65_000 };
  let closed: string;
  let within: string;

  beforeEach(async () => {
    closed = await mkdtemp(join(tmpdir(), 'v402-unit-'));
    within = join(closed, 'open');
    await mkdir(within);
    await chmod(within, 0o777);
  });
  afterEach(() => rm(closed, { recursive: true }));

  it('passes over a folder below one that the user cannot pass through', async () => {
    expect(await reachableTemporaryFolder(stranger, [within, '/nonexistent', '/'])).toBe('/');
  });

  it('takes it once the way is open', async () => {
    await chmod(closed, 0o711);
    expect(await reachableTemporaryFolder(stranger, [within, '/'])).toBe(within);
  });

  it('takes the first for our own user', async () => {
    expect(await reachableTemporaryFolder(undefined, [within, '/'])).toBe(within);
  });

  it('says what to set when there is none', async () => {
    await expect(reachableTemporaryFolder(stranger, [within])).rejects.toMatchObject({
      code: 'folder_unreachable',
      message: expect.stringContaining('TMPDIR') as string,
    });
  });
});
