/**
 * What changes how a text is shown without being seen: control characters (with them every terminal escape sequence),
 * format characters (bidirectional controls, zero-width and tag characters), lone surrogates, and line and paragraph separators.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * One line of a text that came from outside, for people to read: what cannot be seen is written as `\u{1b}`, and a longer
 * text ends in `…`.
 *
 * @param maxLength UTF-16 units of the text that are shown; without it all of them
 */
export function printable(text: string, maxLength = Infinity): string {
  const shown = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return shown.replace(UNSEEN, escaped);
}

/** The same of a text of several lines, whose line breaks stay. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line))
    .join('\n');
}

/** JSON text that holds the same value and shows it whole: what cannot be seen stands as JSON's own escapes. */
export function printableJson(json: string): string {
  return json.replace(UNSEEN, (character) => (character === '\n' ? character : utf16Escapes(character)));
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** JSON writes a character beyond the basic plane as its two halves. */
function utf16Escapes(character: string): string {
  return Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
