import { parseStrictJson } from '@v402/contract';
import { printableJson, printableLines } from '@v402/domain';

/**
 * Bytes from outside for a terminal: JSON as a handler reads it, laid out; other text line by line, what is no UTF-8 as U+FFFD.
 * What a handler would not read is shown as it came: another reader could leave out of it what a person has to see.
 */
export function textOfBytes(bytes: Uint8Array): string {
  const parsed = parseStrictJson(bytes);
  if (parsed.ok) return printableJson(JSON.stringify(parsed.value, null, 2));
  return printableLines(new TextDecoder().decode(bytes));
}
