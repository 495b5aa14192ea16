import { canonicalBytes } from '@v402/contract';
import { compareInstants, isInstant } from '@v402/domain';
import type { z } from 'zod';
import type { JsonObject, SignatureSuite } from '../suites/signature-suite.js';
import { suites } from '../suites/suites.js';
import { keySchemaFor, registrySchema } from './registry.schema.js';

type Path = readonly PropertyKey[];
type Member = readonly [path: Path, value: unknown];

/**
 * Lists what is wrong with a trust registry.
 * @param registry any JSON value
 * @returns the JSON Pointer (RFC 6901) of every fault, sorted by code point; empty for a good registry
 */
export function findRegistryFaults(registry: unknown): readonly string[] {
  const parties = itemsOf(registry, 'parties', []);
  const keys = parties.flatMap(([path, party]) => itemsOf(party, 'keys', path));
  const faults = [
    ...pathsOf(registrySchema.safeParse(registry)),
    ...keys.flatMap(([path, key]) => keyFaults(key).map((fault) => [...path, ...fault])),
    ...repeated(membersNamed('id', parties)),
    ...repeated(membersNamed('kid', keys)),
    ...Object.values(suites).flatMap((suite) => repeated(membersNamed(suite.uniqueMember, keysOf(suite, keys)))),
  ];
  return [...new Set(faults.map(pointerOf))].sort(byCodePoint);
}

function keyFaults(key: unknown): readonly Path[] {
  const entry = isObject(key) ? key : {};
  const formFaults = pathsOf(keySchemaFor(entry).safeParse(key));
  return [...formFaults, ...misfits(entry).map((name) => [name])];
}

/** The members that do not fit others, each having its form. */
function misfits(entry: JsonObject): readonly string[] {
  const { validFrom, validUntil, revokedAt, revocationReason } = entry;
  const suite = Object.values(suites).find(({ name }) => name === entry['suite']);
  return [
    ...(isInstantText(validFrom) && isInstantText(validUntil) && compareInstants(validFrom, validUntil) >= 0
      ? ['validUntil']
      : []),
    ...(revocationReason !== undefined && revokedAt === undefined ? ['revocationReason'] : []),
    ...(suite?.misfits(entry) ?? []),
  ];
}

/** The places of values that stand at an earlier place already; `publicKey`, an object, is compared member by member. */
function repeated(members: readonly Member[]): readonly Path[] {
  const seen = new Set<string>();
  return members.flatMap(([path, value]) => {
    const text = Buffer.from(canonicalBytes(value)).toString('utf8');
    if (seen.has(text)) return [path];
    seen.add(text);
    return [];
  });
}

/** A member that stands in a key of another suite is unknown there, and takes no name from the keys that may have it. */
function keysOf({ name }: SignatureSuite, keys: readonly Member[]): readonly Member[] {
  return keys.filter(([, key]) => isObject(key) && key['suite'] === name);
}

function membersNamed(name: string, objects: readonly Member[]): readonly Member[] {
  return objects.flatMap(([path, object]): readonly Member[] => {
    const value = isObject(object) ? object[name] : undefined;
    return value === undefined ? [] : [[[...path, name], value]];
  });
}

/** The items of an object's list; none where there is no such list, which the schema reports. */
function itemsOf(object: unknown, name: string, path: Path): readonly Member[] {
  const list = isObject(object) ? object[name] : undefined;
  return Array.isArray(list) ? list.map((item: unknown, index): Member => [[...path, name, index], item]) : [];
}

function pathsOf(result: z.ZodSafeParseResult<unknown>): readonly Path[] {
  if (result.success) return [];
  return result.error.issues.flatMap((issue): readonly Path[] =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((name) => [...issue.path, name]) : [issue.path],
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInstantText(value: unknown): value is string {
  return typeof value === 'string' && isInstant(value);
}

function pointerOf(path: Path): string {
  return path.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** UTF-8 sorts as code points do; JavaScript's own order is that of UTF-16. */
function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}
