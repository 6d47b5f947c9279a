import { PgdittoError } from "../errors.ts";
import { endOfQuoted, QUOTE_TOKENS } from "../postgres/quoted.ts";

/** A line of a pg_dump script that begins outside quotes, dollar quotes, comments and statements. */
export interface TopLevelLine {
  /** Offset of the line's first character in the script. */
  at: number;
  text: string;
}

const TOKEN = new RegExp(`--[^\\n]*|${QUOTE_TOKENS}|[;()\\n]`, "g");

/**
 * Walks the script once and yields every line that begins where a statement may begin. Only such lines can be pg_dump's own
 * headers, settings and psql commands: look-alikes inside a function body, a default or a comment are never at the top level.
 */
export function* topLevelLines(script: string): Generator<TopLevelLine> {
  const tokens = new RegExp(TOKEN); // its position is this walk's own
  let depth = 0;
  let statementStart = 0; // just behind the last `;`, comment or line that was a statement of its own
  yield lineAt(script, 0);
  for (let match = tokens.exec(script); match; match = tokens.exec(script)) {
    const token = match[0];
    const at = match.index;
    if (token === "\n") {
      const betweenStatements = depth === 0 && script.slice(statementStart, at).trim() === "";
      if (betweenStatements && at + 1 < script.length) {
        const line = lineAt(script, at + 1);
        yield line;
        // a psql command ends with its line and has no semicolon; quotes in it are not SQL's
        if (line.text.startsWith("\\")) {
          tokens.lastIndex = at + 1 + line.text.length;
          statementStart = tokens.lastIndex;
        }
      }
    } else if (token === ";") {
      if (depth === 0) statementStart = at + 1;
    } else if (token === "(") depth += 1;
    else if (token === ")") depth = Math.max(0, depth - 1);
    else if (token.startsWith("--")) {
      if (script.slice(statementStart, at).trim() === "") statementStart = at + token.length;
    } else tokens.lastIndex = endOfQuoted(script, token, at) ?? unterminated(script, at);
  }
}

function lineAt(script: string, at: number): TopLevelLine {
  const end = script.indexOf("\n", at);
  return { at, text: script.slice(at, end === -1 ? undefined : end).replace(/\r$/, "") };
}

function unterminated(script: string, at: number): never {
  throw new PgdittoError("dump", "The schema script ends inside a quoted string or comment.", {
    detail: `It begins with: ${script.slice(at, at + 60)}`,
    hint: "pg_dump was cut off, or wrote something that pgditto does not understand.",
  });
}
