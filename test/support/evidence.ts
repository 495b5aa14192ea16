import { CollectEvidenceHandler, type EvidenceFile, type OrderSystem, type VerifyTools } from '@v402/application';
import { PgEvidenceArchive } from '@v402/persistence';
import { registryOfEntries, TrustedSignatureVerifier, type TrustRegistry } from '@v402/signatures';

/** Collects a file with the production handler. */
export async function collectEvidence(
  url: string,
  id: string,
  system?: OrderSystem,
): Promise<EvidenceFile | undefined> {
  const archive = new PgEvidenceArchive({ url, applicationName: 'evidence test' });
  try {
    return await new CollectEvidenceHandler(archive, 'test-1', system).handle(id);
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
