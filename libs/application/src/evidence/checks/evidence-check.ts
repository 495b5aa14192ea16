import {
  canonicalBytes,
  parseStrictJson,
  readEnvelope,
  type IdentifiedEnvelope,
  type SignatureVerifier,
} from '@v402/contract';
import { readEvent, type EventType, type ReadEvent } from '@v402/events';
import type { EvidenceFile } from '../evidence-file.js';

/** What the checks of a file have in common: it was read once. */
export interface OpenedEvidence {
  readonly file: EvidenceFile;
  /** The accepted or quarantined contract, read anew from the message's bytes. */
  readonly identified: IdentifiedEnvelope | undefined;
  /** Each event as its bytes say it; undefined for bytes that are no event of ours. */
  readonly events: readonly (ReadEvent | undefined)[];
  /** What the message of that digest says; undefined for one that is not there or not whole. */
  readonly readMessage: (rawDigest: string) => ReturnType<typeof readEnvelope> | undefined;
}

/** What somebody who verifies a file may have beside it. */
export interface VerifyTools {
  /**
   * A verifier that knows these keys and no other.
   * @param parties each with the registry's entries of its keys, as JSON text
   * @throws TerminalError where an entry is none that a registry can hold
   */
  readonly withKeys: (parties: readonly EvidenceParty[]) => SignatureVerifier;
  /** A trust registry that was kept elsewhere, if there is one. */
  readonly registry: KeptRegistry | undefined;
}

export interface EvidenceParty {
  readonly id: string;
  readonly entries: readonly string[];
}

export interface KeptRegistry {
  readonly verifier: SignatureVerifier;
  /** The registry's own entry of a key, as JSON text in canonical form; undefined where it has none. */
  readonly entryOf: (party: string, suite: 'eip712' | 'jws', kid: string) => string | undefined;
}

export type Fail = (where: string, what: string) => void;

export interface EvidenceCheck {
  /** Stable, snake_case. */
  readonly code: string;
  /** What is proven where it finds no fault: one sentence. */
  readonly proves: string;
  /** @returns false where the file has nothing to check it on */
  readonly run: (opened: OpenedEvidence, fail: Fail, tools: VerifyTools) => boolean | Promise<boolean>;
}

export function openedEvidence(file: EvidenceFile): OpenedEvidence {
  const bytesOf = new Map(
    file.messages.flatMap(({ rawDigest, bytes, truncated }) =>
      truncated ? [] : [[rawDigest, Buffer.from(bytes, 'base64')] as const],
    ),
  );
  const readMessage: OpenedEvidence['readMessage'] = (rawDigest) => {
    const bytes = bytesOf.get(rawDigest);
    return bytes === undefined ? undefined : readEnvelope(bytes);
  };
  const decided = file.decisions.find(({ outcome }) => outcome === 'accepted' || outcome === 'quarantined');
  const read = decided && readMessage(decided.rawDigest);
  const events = file.events.map(({ bytes }) => eventOf(Buffer.from(bytes, 'base64')));
  return { file, identified: read?.ok === true ? read.identified : undefined, events, readMessage };
}

/** An event as its kept bytes say it, read strictly; undefined for bytes that are no event of ours. */
export function eventOf(bytes: Uint8Array): ReadEvent | undefined {
  const parsed = parseStrictJson(bytes, bytes.byteLength);
  return parsed.ok ? readEvent(parsed.value) : undefined;
}

/** Whether two JSON values are the same, whatever the order of their members. */
export const same = (left: unknown, right: unknown): boolean =>
  Buffer.from(canonicalBytes(left ?? null)).equals(Buffer.from(canonicalBytes(right ?? null)));

/** An event that is there with its data. */
export type AnnouncedEvent = ReadEvent & { readonly data: Readonly<Record<string, unknown>> };

/** The events of one type, of one side where a side is given. Those without data are too large to be looked into. */
export function eventsOf(
  { events }: OpenedEvidence,
  type: EventType,
  of: Readonly<Record<string, unknown>> = {},
): readonly AnnouncedEvent[] {
  return events.flatMap((event) => {
    if (event?.type !== type || event.data === undefined) return [];
    const { data } = event;
    return Object.entries(of).every(([name, value]) => same(data[name], value)) ? [{ ...event, data }] : [];
  });
}

/** Reports every member of `wanted` that `found` has otherwise. */
export function compareMembers(
  found: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
  where: string,
  source: string,
  fail: Fail,
): void {
  for (const [name, value] of Object.entries(wanted)) {
    if (!same(found[name], value)) fail(`${where}/${name}`, `differs from ${source}`);
  }
}
