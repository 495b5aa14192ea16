import { readEnvelope, verifyContract, type JsonValue } from '@v402/contract';
import type { Chance } from '../chance.js';
import { ACCEPTED, KEYS, listOf, loadHardCases, memberOf, textOf } from '../corpus.js';
import { es256Twin } from '../genuine.js';
import { anyText, ownObject } from '../hostile.js';
import { mutateJson } from '../mutate-json.js';
import { refused } from '../properties.js';
import { defineTarget, mustHold, type Outcome } from '../target.js';
import { contextOf, nothingForged, verifier } from './envelope.target.js';

interface Input {
  readonly sample: number;
  readonly signatures: readonly JsonValue[];
}

const HARD = loadHardCases('signatures.json').map((bytes) => Buffer.from(bytes).toString('utf8'));
const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The signatures of an accepted contract, one or more of them changed. */
function generate(chance: Chance): Input {
  const sample = chance.int(0, ACCEPTED.length - 1);
  const signatures = listOf(memberOf(ACCEPTED[sample]?.document, 'signatures'));
  const [first = null, second = null] = signatures;
  switch (chance.int(0, 9)) {
    case 0:
      return { sample, signatures: [withMember(first, 'signature', memberOf(second, 'signature')), second] };
    case 1:
      return { sample, signatures: chance.shuffled([...signatures, chance.pick(signatures)]) };
    case 2:
      return { sample, signatures: listOf(mutateJson(signatures, chance)) };
    default:
      return {
        sample,
        signatures: signatures.map((signature) => (chance.oneIn(2) ? changed(signature, chance) : signature)),
      };
  }
}

function withMember(signature: JsonValue, name: string, value: JsonValue | undefined): JsonValue {
  const members = Object.entries(signature ?? {}).filter(([each]) => each !== name);
  return ownObject([...members, [name, value ?? null]]);
}

function changed(signature: JsonValue, chance: Chance): JsonValue {
  const text = textOf(memberOf(signature, 'signature'));
  switch (chance.int(0, 5)) {
    case 0:
      return withMember(signature, 'kid', chance.oneIn(2) ? chance.pick(KEYS).kid : anyText(chance));
    case 1:
      return withMember(signature, 'role', chance.pick(['buyer', 'seller', 'Buyer', '']));
    case 2:
      return withMember(signature, 'signature', chance.pick(HARD));
    default:
      return withMember(
        signature,
        'signature',
        text.startsWith('0x') ? otherEip712(text, chance) : otherJws(text, chance),
      );
  }
}

const hex = (value: bigint): string => value.toString(16).padStart(64, '0');

function otherEip712(text: string, chance: Chance): string {
  const [r, s, v] = [text.slice(2, 66), text.slice(66, 130), text.slice(130)];
  const place = chance.int(2, text.length - 1);
  const highS = hex(SECP256K1_ORDER - BigInt(`0x${s}`));
  return chance.pick([
    `0x${r}${highS}${v === '1b' ? '1c' : '1b'}`,
    `0x${r}${highS}${v}`,
    `0x${r}${s}${v === '1b' ? '1c' : '1b'}`,
    ...['00', '01', '1d', '1e', '25', 'ff', ''].map((other) => `0x${r}${s}${other}`),
    `0x${hex(0n)}${s}${v}`,
    `0x${r}${hex(0n)}${v}`,
    `0x${hex(SECP256K1_ORDER)}${s}${v}`,
    `0x${r}${hex(1n)}${v}`,
    text.toUpperCase(),
    text.slice(2),
    `${text}00`,
    ` ${text}`,
    `${text}\u200b`,
    `${text.slice(0, place)}${chance.int(0, 15).toString(16)}${text.slice(place + 1)}`,
  ]);
}

function otherJws(text: string, chance: Chance): string {
  const [header = '', , signature = ''] = text.split('.');
  const place = chance.int(0, text.length - 1);
  return chance.pick([
    es256Twin(text) ?? text,
    `${header}.e30.${signature}`,
    `${header}.${signature}`,
    `${header}..${signature}=`,
    `${header}..${signature}.`,
    `${header}..${shiftedScalar(signature)}`,
    `${header}..${Buffer.alloc(64).toString('base64url')}`,
    `${header}..${Buffer.concat([Buffer.of(1), Buffer.alloc(63)]).toString('base64url')}`,
    `${header}..`,
    `${otherHeader(header, chance)}..${signature}`,
    JSON.stringify({ protected: header, signature }),
    ` ${text}`,
    text.replaceAll('-', '+').replaceAll('_', '/'),
    `${text.slice(0, place)}${chance.pick(['A', 'Q', '_', '-', '.'])}${text.slice(place + 1)}`,
  ]);
}

/** Ed25519 with S + L: the same point equation, another text. RFC 8032 refuses it. */
function shiftedScalar(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex') || '0'}`) + ED25519_ORDER;
  const scalar = Buffer.from(hex(s % 2n ** 256n), 'hex').reverse();
  return Buffer.concat([bytes.subarray(0, 32), scalar]).toString('base64url');
}

function otherHeader(header: string, chance: Chance): string {
  const text = Buffer.from(header, 'base64url').toString('utf8');
  const other = chance.pick([
    text.replace(/"alg":"[^"]*"/, `"alg":"${chance.pick(['none', 'HS256', 'ES256', 'EdDSA', 'RS256', 'ES256K'])}"`),
    text.replace('"b64":false', '"b64":true'),
    text.replace('["b64"]', chance.pick(['[]', '["b64","exp"]', '["b64","b64"]', 'null'])),
    text.replace('{', '{"jwk":{"kty":"OKP"},'),
    text.replace('{', '{"jku":"http://127.0.0.1/","x5u":"http://127.0.0.1/",'),
    text.replace('"role":"buyer"', '"role":"seller"'),
    text.replace('"role"', '"alg":"none","role"'),
    text.replaceAll(',', ', '),
    `${text}\n`,
  ]);
  return Buffer.from(other, 'utf8').toString('base64url');
}

async function run({ sample, signatures }: Input): Promise<Outcome> {
  const original = ACCEPTED[sample];
  mustHold(original !== undefined, 'the sample is there');
  const members = Object.entries(original.document ?? {}).filter(([name]) => name !== 'signatures');
  const document = ownObject([...members, ['signatures', signatures]]);
  const read = readEnvelope(Buffer.from(JSON.stringify(document), 'utf8'));
  if (!read.ok) return refused(read.refusal);
  const decision = await verifyContract(read.identified, contextOf(original), verifier);
  if (!decision.ok) return refused(decision.refusal);
  nothingForged(read.identified);
  return { kind: 'accepted', decided: read.identified.contractId };
}

export const signatures = defineTarget('signatures', generate, run);
