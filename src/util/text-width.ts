import { eastAsianWidth } from "get-east-asian-width";

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Asks the character before it to be drawn as an emoji, which is two columns wide. */
const EMOJI_STYLE = 0xfe0f;

/** Columns that text takes on a terminal. Where terminals differ (emoji made of several) the most that one of them takes. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character.codePointAt(0) ?? 0, character);
  return width;
}

function widthOf(codePoint: number, character: string): number {
  if (codePoint === EMOJI_STYLE) return 1;
  return /^\p{Mn}|^\p{Me}|^\p{Cf}/u.test(character) ? 0 : eastAsianWidth(codePoint);
}

/** Text in exactly so many columns: filled up with blanks, or cut, which a `…` tells of. */
export function fitWidth(text: string, columns: number): string {
  const width = textWidth(text);
  if (width <= columns) return text + " ".repeat(columns - width);
  if (columns < 1) return "";
  let cut = "";
  let taken = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    const more = textWidth(segment);
    if (taken + more > columns - 1) break;
    cut += segment;
    taken += more;
  }
  return `${cut}…${" ".repeat(columns - 1 - taken)}`;
}
