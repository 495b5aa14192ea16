/**
 * Text from outside for a terminal: what is not printable, such as a control sequence or a mark that reverses the
 * writing, is shown by its number. Line breaks stay.
 */
export function plainText(text: string): string {
  return text.replaceAll(/[^\P{C}\n]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Bytes from outside as text; what is no UTF-8 is shown as U+FFFD. JSON is laid out. */
export function textOfBytes(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  try {
    return plainText(JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    return plainText(text);
  }
}
