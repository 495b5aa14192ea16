import { readdirSync, readFileSync } from 'node:fs';
import { canonicalBytes, parseStrictJson, sha256Hex, type JsonValue } from '@v402/contract';
import { inputOf, loadCases, readVectorJson, resultOf, type VectorCase } from '../vectors/vector-cases.js';
import { isList } from './json-form.js';

/** What a corpus file holds: bytes as text, as base64, or as a piece that is repeated between a beginning and an end. */
interface HardCase {
  readonly name: string;
  readonly text?: string;
  readonly base64?: string;
  readonly repeat?: {
    readonly before?: string;
    readonly piece: string;
    readonly times: number;
    readonly after?: string;
  };
}

const folder = new URL('./corpus/', import.meta.url);

function bytesOf({ text, base64, repeat }: HardCase): Uint8Array {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  if (repeat === undefined) return Buffer.from(text ?? '', 'utf8');
  return Buffer.from(`${repeat.before ?? ''}${repeat.piece.repeat(repeat.times)}${repeat.after ?? ''}`, 'utf8');
}

/** The hard cases of a file in `corpus/`, each once. */
export function loadHardCases(file: string): readonly Uint8Array[] {
  const cases = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly HardCase[];
  return cases.map(bytesOf);
}

export function corpusFiles(): readonly string[] {
  return readdirSync(folder);
}

/** An envelope of the vectors, read, with the moment and the handler that it is judged for. */
export interface Sample {
  readonly bytes: Uint8Array;
  readonly document: JsonValue;
  readonly now: string;
  readonly handlerId: string | null;
  readonly result: string;
}

/** Larger ones are fuzzed by the hard cases: most of the time would go into them. */
const LARGEST_SAMPLE = 16_384;

const cases = loadCases();
export const VECTOR_BYTES: readonly Uint8Array[] = cases.map(inputOf).filter(({ length }) => length <= LARGEST_SAMPLE);
export const SAMPLES: readonly Sample[] = cases.flatMap(sampleOf);
export const ACCEPTED: readonly Sample[] = SAMPLES.filter(({ result }) => result === 'accepted');

function sampleOf(vector: VectorCase): Sample[] {
  const bytes = inputOf(vector);
  const parsed = bytes.length > LARGEST_SAMPLE ? undefined : parseStrictJson(bytes);
  if (parsed?.ok !== true) return [];
  const { now, handlerId } = vector;
  return [{ bytes, document: parsed.value, now, handlerId, result: resultOf(vector) }];
}

export const REGISTRY: JsonValue = readVectorJson('trust-registry.json') as JsonValue;
export const REGISTRIES: readonly JsonValue[] = [
  REGISTRY,
  ...readdirSync(new URL('../vectors/data/registries/', import.meta.url)).map(
    (file) => (readVectorJson(`registries/${file}`) as { readonly registry: JsonValue }).registry,
  ),
];

export interface CorpusKey {
  readonly kid: string;
  readonly privateKeyHex: string;
  readonly privateJwk?: JsonValue;
}
export const KEYS = (readVectorJson('keys.json') as { readonly keys: readonly CorpusKey[] }).keys;

/** Of a JSON object. */
export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || isList(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isList(value) ? value : [];
}

/** A member that is a text, else nothing. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** What a signature stands for: this text, by this key, for this contract. */
export function signatureKey(contractId: string, signature: JsonValue): string {
  return JSON.stringify([
    contractId,
    ...['role', 'suite', 'kid', 'signature'].map((name) => memberOf(signature, name) ?? null),
  ]);
}

const FORGED = ['signature_invalid', 'signature_malformed'];

/** Every signature that somebody who has the key made; all others are forged. */
export const GENUINE: ReadonlySet<string> = new Set(
  cases
    .filter((vector) => !FORGED.includes(resultOf(vector)))
    .flatMap((vector) => {
      const parsed = parseStrictJson(inputOf(vector));
      if (!parsed.ok) return [];
      const contract = memberOf(parsed.value, 'contract');
      if (contract === undefined) return [];
      const contractId = sha256Hex(canonicalBytes(contract));
      return listOf(memberOf(parsed.value, 'signatures')).map((signature) => signatureKey(contractId, signature));
    }),
);
