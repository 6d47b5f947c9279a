/** What may follow a letter within a name. */
const IDENT_CHAR = /[\w$\u0080-\uffff]/;
/** Between two pieces of one string (manual 4.1.2.1): white space with a line break in it, and comments. */
const CONTINUED = /(?:[^\S\r\n]|--[^\r\n]*)*[\r\n](?:\s|--[^\r\n]*[\r\n])*'/y;

/** Where SQL text may begin to mean something else: for a regular expression of the caller's. Comments that end with their line are the caller's own. */
export const QUOTE_TOKENS = /\/\*|'|"|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.source;

/**
 * The offset behind the quoted thing (string, name, dollar quote, comment) that begins with `token` at `at`; undefined when the text ends in it.
 * A doubled quote inside a plain string makes two quoted things, one behind the other, which comes to the same.
 */
export function endOfQuoted(text: string, token: string, at: number): number | undefined {
  if (token === "/*") return endOfComment(text, at);
  if (token === '"') return behind(text, '"', at + 1);
  const before = text[at - 1] ?? " ";
  if (token === "'") {
    const isEscape = (before === "E" || before === "e") && !IDENT_CHAR.test(text[at - 2] ?? " ");
    return isEscape ? endOfEscaped(text, at) : behind(text, "'", at + 1);
  }
  return endsName(text, at) ? at + 1 : behind(text, token, at + token.length);
}

/** `a$b$` is a name and no dollar quote, and so is `a1$b$`; but `1$b$` is a number with one behind it. */
function endsName(text: string, at: number): boolean {
  let from = at;
  while (from > 0 && IDENT_CHAR.test(text[from - 1] ?? " ")) from -= 1;
  return from < at && !/[\d$]/.test(text[from] ?? "");
}

function behind(text: string, quote: string, from: number): number | undefined {
  const end = text.indexOf(quote, from);
  return end === -1 ? undefined : end + quote.length;
}

/** What is doubled, and what goes on behind a line break, belongs to it: backslashes mean the same there. */
function endOfEscaped(text: string, at: number): number | undefined {
  for (let i = at + 1; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "'") {
      CONTINUED.lastIndex = i + 1;
      if (text[i + 1] === "'") i += 1;
      else if (CONTINUED.test(text)) i = CONTINUED.lastIndex - 1;
      else return i + 1;
    }
  }
  return undefined;
}

function endOfComment(text: string, at: number): number | undefined {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = at + 2;
  let depth = 1;
  for (let match = edge.exec(text); match; match = edge.exec(text)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return undefined;
}
