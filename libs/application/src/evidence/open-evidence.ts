import { parseStrictJson, type JsonValue } from '@v402/contract';
import { evidenceSchema, type EvidenceFile } from './evidence-file.js';

/** What one file may hold: a thousand messages of the largest size do not occur. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Something that a file says of itself and that does not hold. */
export interface EvidenceFault {
  /** JSON Pointer into the file. */
  readonly where: string;
  readonly what: string;
}

/** Bytes as an evidence file: one, one with faults, or something else altogether. */
export type OpenResult =
  | { readonly outcome: 'opened'; readonly file: EvidenceFile }
  | { readonly outcome: 'faulty'; readonly faults: readonly EvidenceFault[] }
  | { readonly outcome: 'not_evidence' };

/**
 * Reads an evidence file strictly: JSON without a member twice, no unknown member, every member of its form. What names the
 * format, in whatever version, means to be evidence, so that a damaged file is told from a contract.
 */
export function openEvidence(bytes: Uint8Array): OpenResult {
  const parsed = parseStrictJson(bytes, MAX_FILE_BYTES);
  const isEvidence = parsed.ok ? namesFormat(parsed.value) : beginsWithFormat(bytes);
  if (!isEvidence) return { outcome: 'not_evidence' };
  if (!parsed.ok) {
    const { code, where = '' } = parsed.refusal;
    return { outcome: 'faulty', faults: [{ where, what: `cannot be read: ${code}` }] };
  }
  const read = evidenceSchema.safeParse(parsed.value);
  if (read.success) return { outcome: 'opened', file: read.data };
  const faults = read.error.issues.map(({ path }) => ({ where: pointer(path), what: 'is not as the format has it' }));
  return { outcome: 'faulty', faults };
}

const namesFormat = (value: JsonValue): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'format' in value &&
  typeof value.format === 'string' &&
  value.format.startsWith('v402-evidence/');

/** Of bytes that cannot be read: `v402 evidence` writes the format first, and damage may put little before it. */
const beginsWithFormat = (bytes: Uint8Array): boolean =>
  /"format"\s*:\s*"v402-evidence\//.test(new TextDecoder().decode(bytes.subarray(0, 4_096)));

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
