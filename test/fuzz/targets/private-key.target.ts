import { inspect } from 'node:util';
import type { JsonValue } from '@v402/contract';
import { readPrivateKey } from '@v402/signatures';
import type { Chance } from '../chance.js';
import { KEYS, memberOf, textOf } from '../corpus.js';
import { anyText } from '../hostile.js';
import { mutateJson } from '../mutate-json.js';
import { documentedError } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';

const CODES = ['private_key_invalid', 'private_key_without_kid', 'private_key_kid_mismatch'];

interface Input {
  readonly text: string;
  readonly kid: string | undefined;
  /** What the text holds and nobody may see. */
  readonly secrets: readonly string[];
}

function generate(chance: Chance): Input {
  const { kid, privateKeyHex, privateJwk } = chance.pick(KEYS);
  const secrets = [privateKeyHex, textOf(memberOf(privateJwk, 'd'))];
  return {
    text: keyText(privateKeyHex, privateJwk, chance),
    kid: chance.pick([kid, undefined, anyText(chance)]),
    secrets,
  };
}

function keyText(hex: string, jwk: JsonValue | undefined, chance: Chance): string {
  if (jwk !== undefined && !chance.oneIn(3)) return JSON.stringify(chance.oneIn(4) ? jwk : mutateJson(jwk, chance));
  return chance.pick([
    hex,
    `0x${hex}`,
    `${hex}\n`,
    hex.toUpperCase(),
    hex.slice(1),
    `${hex}0`,
    '0'.repeat(64),
    'f'.repeat(64),
    anyText(chance),
  ]);
}

function run({ text, kid, secrets }: Input): Outcome {
  try {
    const key = readPrivateKey(text, kid);
    const shown = `${inspect(key, { depth: 5, showHidden: true })} ${JSON.stringify(key)}`;
    mustHold(!secrets.some((secret) => secret !== '' && shown.includes(secret)), 'a key shows no secret');
    return { kind: `read ${key.suite}`, decided: key.kid };
  } catch (error) {
    return documentedError(error, CODES, secrets);
  }
}

export const privateKey = defineTarget('private-key', generate, run);
