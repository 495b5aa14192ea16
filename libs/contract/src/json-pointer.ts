/** A place in a document, from its root: member names and indexes. */
export type Path = readonly PropertyKey[];

const PLAIN_TOKEN = /^[A-Za-z0-9._:-]{1,64}$/;

/**
 * The JSON Pointer (RFC 6901) of a place in an untrusted document, safe to store and to show: it ends before the first
 * member name that is not short plain ASCII, so that nothing a stranger wrote travels in it.
 */
export function safePointer(path: Path): string {
  const tokens = path.map(String);
  const firstUnsafe = tokens.findIndex((token) => !PLAIN_TOKEN.test(token));
  return (firstUnsafe === -1 ? tokens : tokens.slice(0, firstUnsafe)).map((token) => `/${token}`).join('');
}
