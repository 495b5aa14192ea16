import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { RefusalCode } from '@v402/domain';

/** Where the vectors lie; their format is in `data/README.md`. */
const VECTORS = new URL('./data/', import.meta.url);

export interface VectorCase {
  readonly name: string;
  readonly description: string;
  readonly now: string;
  readonly handlerId: string | null;
  readonly after?: readonly string[];
  readonly expect:
    | { readonly outcome: 'accepted' | 'duplicate'; readonly contractId: string; readonly shortRef: string }
    | { readonly outcome: 'rejected' | 'quarantined'; readonly code: RefusalCode };
  readonly inputBase64?: string;
  readonly inputGzipBase64?: string;
}

export interface VectorManifest {
  readonly count: number;
  /** By refusal code, or `accepted`, or `duplicate`. */
  readonly byResult: Readonly<Record<string, number>>;
  readonly registries: number;
}

export function readVectorJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));
}

export function loadManifest(): VectorManifest {
  return readVectorJson('manifest.json') as VectorManifest;
}

export function loadCases(): readonly VectorCase[] {
  return ['accept', 'reject'].flatMap((folder) =>
    readdirSync(new URL(`cases/${folder}/`, VECTORS))
      .sort()
      .map((file) => readVectorJson(`cases/${folder}/${file}`) as VectorCase),
  );
}

/** The bytes of the Kafka value. */
export function inputOf(vector: VectorCase): Uint8Array {
  if (vector.inputBase64 !== undefined) return Buffer.from(vector.inputBase64, 'base64');
  return gunzipSync(Buffer.from(vector.inputGzipBase64 ?? '', 'base64'));
}

/** A case's result as the manifest counts it. */
export function resultOf({ expect }: VectorCase): string {
  return 'code' in expect ? expect.code : expect.outcome;
}
