import {
  CollectEvidenceHandler,
  verifyEvidence,
  type EvidenceFile,
  type OrderSystem,
  type VerifyTools,
} from '@v402/application';
import type { IntakeScene } from './intake-scene.js';
import { PgEvidenceArchive } from '@v402/persistence';
import { registryOfEntries, TrustedSignatureVerifier, type TrustRegistry } from '@v402/signatures';

/** Collects a file with the production handler. */
export async function collectEvidence(
  url: string,
  id: string,
  system?: OrderSystem,
  askTimeoutMs?: number,
): Promise<EvidenceFile | undefined> {
  const archive = new PgEvidenceArchive({ url, applicationName: 'evidence test' });
  try {
    return await new CollectEvidenceHandler(archive, 'test-1', system, askTimeoutMs).handle(id);
  } finally {
    await archive.close();
  }
}

export function verifyTools(registry?: TrustRegistry): VerifyTools {
  return {
    withKeys: (parties) => new TrustedSignatureVerifier(registryOfEntries(parties)),
    registry: registry && {
      verifier: new TrustedSignatureVerifier(registry),
      entryOf: (party, suite, kid) => registry.findKey(party, suite, kid)?.entry,
    },
  };
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Every leaf of a document by its JSON Pointer; an empty list or object is a leaf too. */
export function leavesOf(value: Json, at = ''): (readonly [where: string, leaf: Json])[] {
  if (typeof value !== 'object' || value === null) return [[at, value]];
  const members = Object.entries(value);
  if (members.length === 0) return [[at, value]];
  return members.flatMap(([name, member]) => leavesOf(member, `${at}/${name}`));
}

/** A copy in which one place holds something else. */
export function replaced(document: Json, where: string, value: Json): Json {
  const [, name = '', ...rest] = where.split('/');
  if (where === '') return value;
  if (Array.isArray(document)) {
    return document.map((member: Json, index) =>
      String(index) === name ? replaced(member, rest.map((each) => `/${each}`).join(''), value) : member,
    );
  }
  const members = document as { readonly [name: string]: Json };
  const member = members[name] ?? null;
  return { ...members, [name]: replaced(member, rest.map((each) => `/${each}`).join(''), value) };
}

/** Whatever has been done to the contracts of a scene, the file of each verifies; those that a test has forged by hand are left out. */
export async function expectEvidence(scene: IntakeScene, forged: ReadonlySet<string>): Promise<void> {
  const rows = await scene.sql<{ id: string }>(
    `SELECT DISTINCT encode(contract_id, 'hex') AS id FROM v402.decision WHERE contract_id IS NOT NULL`,
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const { id } of rows) {
    const file = await collectEvidence(scene.database.appUrl, id);
    const verdict = await verifyEvidence(Buffer.from(JSON.stringify(file)), verifyTools());
    const faults = verdict?.checks.flatMap((check) =>
      check.faults.map(({ where, what }) => `${check.code} ${where} ${what}`),
    );
    if (!forged.has(id)) expect({ id, faults }).toEqual({ id, faults: [] });
  }
}
