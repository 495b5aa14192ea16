import { canonicalBytes, parseStrictJson, sha256Hex, type JsonValue } from '@v402/contract';
import { loadTrustRegistry } from '@v402/signatures';
import type { Chance } from '../chance.js';
import { listOf, loadHardCases, memberOf, REGISTRIES, textOf } from '../corpus.js';
import { isList, otherJson } from '../json-form.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateJson } from '../mutate-json.js';
import { ownObject } from '../hostile.js';
import { documentedError } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

const HARD = loadHardCases('registry.json');
/** Points of Ed25519 that nobody may have for a key, as base64url: of small order, or not encoded as RFC 8032 says. */
const WEAK_POINTS = loadHardCases('weak-ed25519-points.json').map((bytes) => Buffer.from(bytes).toString('base64url'));

function generate(chance: Chance): Uint8Array {
  if (chance.oneIn(200)) return chance.pick(HARD);
  let registry = chance.pick(REGISTRIES);
  if (chance.oneIn(5)) registry = withWeakPoint(registry, chance);
  for (let left = chance.pick([0, 1, 1, 1, 2, 3]); left > 0; left -= 1) registry = mutateJson(registry, chance);
  const bytes = Buffer.from(chance.oneIn(2) ? JSON.stringify(registry) : otherJson(registry, chance), 'utf8');
  return chance.oneIn(6) ? mutateBytes(bytes, chance) : bytes;
}

/** Puts such a point in the place of every Ed25519 key's. */
function withWeakPoint(value: JsonValue, chance: Chance): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((item) => withWeakPoint(item, chance));
  const isEd25519 = value['crv'] === 'Ed25519';
  return ownObject(
    Object.entries(value).map(([name, item]) => [
      name,
      isEd25519 && name === 'x' ? chance.pick(WEAK_POINTS) : withWeakPoint(item, chance),
    ]),
  );
}

function run(bytes: Uint8Array): Outcome {
  try {
    const registry = loadTrustRegistry(bytes);
    const parsed = parseStrictJson(bytes);
    mustHold(parsed.ok, 'a registry is strict JSON');
    mustHold(registry.digest === sha256Hex(canonicalBytes(parsed.value)), 'its digest is that of its canonical form');
    const keys = listOf(memberOf(parsed.value, 'parties')).flatMap((party) => listOf(memberOf(party, 'keys')));
    const isWeak = (key: JsonValue): boolean => WEAK_POINTS.includes(textOf(memberOf(memberOf(key, 'publicKey'), 'x')));
    mustHold(!keys.some(isWeak), 'no key of it is a weak point');
    mustHold(new Set(keys.map((key) => memberOf(key, 'kid'))).size === keys.length, 'no kid names two keys');
    return { kind: 'accepted', decided: registry.digest };
  } catch (error) {
    return documentedError(error, ['trust_registry_invalid']);
  }
}

export const registry = defineTarget('registry', generate, run);
