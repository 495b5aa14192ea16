import { printable, printableJson } from '@v402/domain';

/** Bytes from outside for a terminal: JSON laid out, other text line by line, what is no UTF-8 as U+FFFD. */
export function textOfBytes(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  try {
    return printableJson(JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    return text
      .split('\n')
      .map((line) => printable(line))
      .join('\n');
  }
}
