/**
 * Decodes strict base64url: no padding, no white space, no trailing bits that are not zero.
 * @returns `undefined` for any other text, or another number of bytes
 */
export function decodeBase64Url(text: string, byteLength: number): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Node.js skips what it does not know. A text is strict exactly if it is what its bytes are written as.
  return bytes.byteLength === byteLength && bytes.toString('base64url') === text ? bytes : undefined;
}
