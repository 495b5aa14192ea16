import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isInstant, TerminalError } from '@v402/domain';
import { loadTrustRegistry, type TrustRegistry } from '@v402/signatures';
import { z } from 'zod';
import { readBytes, reasonOf } from '../files.js';

const manifestSchema = z.object({
  count: z.int(),
  /** By refusal code, or `accepted`, or `duplicate`. */
  byResult: z.record(z.string(), z.int()),
  registries: z.int(),
});
type VectorManifest = Readonly<z.infer<typeof manifestSchema>>;

const registrySchema = z.object({
  name: z.string(),
  registry: z.unknown(),
  /** The JSON Pointer of every fault, sorted; none for a good registry. */
  problems: z.array(z.string()),
});
export type VectorRegistry = Readonly<z.infer<typeof registrySchema>>;

const expectSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['accepted', 'duplicate']), contractId: z.string(), shortRef: z.string() }),
  z.object({ outcome: z.enum(['rejected', 'quarantined']), code: z.string() }),
]);

const caseSchema = z.intersection(
  z.object({
    name: z.string(),
    now: z.string().refine(isInstant),
    handlerId: z.string().nullable(),
    /** Names of cases that are handled first, in this order, in the same empty state. */
    after: z.array(z.string()).default([]),
    expect: expectSchema,
  }),
  z.union([z.object({ inputBase64: z.base64() }), z.object({ inputGzipBase64: z.base64() })]),
);
export type VectorCase = Readonly<z.infer<typeof caseSchema>>;

/** A folder of test vectors, as `test/vectors/data/README.md` describes it. */
export interface Vectors {
  readonly manifest: VectorManifest;
  /** The registry that every case is judged by. */
  readonly trustRegistry: TrustRegistry;
  readonly registries: readonly VectorRegistry[];
  readonly cases: ReadonlyMap<string, VectorCase>;
}

/**
 * @param folder its path
 * @throws TerminalError `file_unreadable`, `vectors_invalid`; TrustRegistryError
 */
export async function readVectors(folder: string): Promise<Vectors> {
  const manifest = await readJson(join(folder, 'manifest.json'), manifestSchema);
  const trustRegistry = loadTrustRegistry(await readBytes(join(folder, 'trust-registry.json')));
  const registries = await readFolder(join(folder, 'registries'), registrySchema);
  const accepted = await readFolder(join(folder, 'cases', 'accept'), caseSchema);
  const rejected = await readFolder(join(folder, 'cases', 'reject'), caseSchema);
  const cases = new Map([...accepted, ...rejected].map((vector) => [vector.name, vector]));
  for (const { name, after } of cases.values()) {
    const unknown = after.find((earlier) => !cases.has(earlier));
    if (unknown !== undefined) throw invalid(`the case ${name} comes after ${unknown}, which is not there`);
  }
  return { manifest, trustRegistry, registries, cases };
}

/** The bytes of the Kafka value. */
export function inputOf(vector: VectorCase): Uint8Array {
  return 'inputBase64' in vector
    ? Buffer.from(vector.inputBase64, 'base64')
    : gunzipSync(Buffer.from(vector.inputGzipBase64, 'base64'));
}

async function readFolder<T extends { readonly name: string }>(folder: string, schema: z.ZodType<T>): Promise<T[]> {
  const vectors: T[] = [];
  for (const file of (await jsonFiles(folder)).sort()) {
    const vector = await readJson(join(folder, file), schema);
    // A name that stands in two files would make one case hide the other.
    if (vector.name !== basename(file, '.json')) throw invalid(`${join(folder, file)} is named ${vector.name}`);
    vectors.push(vector);
  }
  return vectors;
}

async function jsonFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => file.endsWith('.json'));
  } catch (cause) {
    throw new TerminalError('file_unreadable', `${folder} cannot be read: ${reasonOf(cause)}.`, {}, { cause });
  }
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = Buffer.from(await readBytes(file)).toString('utf8');
  const result = schema.safeParse(parseJson(text));
  if (!result.success) throw invalid(`${file} is at fault at "${result.error.issues[0]?.path.join('/') ?? ''}"`);
  return result.data;
}

/** Undefined, which no schema takes, for a text that is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(what: string): TerminalError {
  return new TerminalError('vectors_invalid', `This is no folder of test vectors: ${what}.`);
}
