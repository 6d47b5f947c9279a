import { PgdittoError } from "../errors.ts";

/** A pattern of `-t`, `-T`, `-n`, `-N`, as two anchored regular expressions of PostgreSQL; undefined: not constrained. */
export interface NamePattern {
  text: string;
  schema: string | undefined;
  name: string;
}

/**
 * Reads a pattern the way psql and pg_dump do (manual, psql "Patterns"; processSQLNamePattern in the source): `*` and `?` are
 * wildcards, unquoted letters are folded to lower case, `.` separates schema and name, `"…"` takes everything literally, other
 * characters of regular expressions keep their meaning except `$`.
 */
export function parsePattern(text: string, withSchema: boolean): NamePattern {
  const parts = [""];
  let quoted = false;
  const add = (piece: string): void => {
    parts[parts.length - 1] += piece;
  };
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charAt(i);
    if (c === '"') {
      if (quoted && text[i + 1] === '"') {
        add('"');
        i += 1;
      } else quoted = !quoted;
    } else if (quoted) add(/[|*+?()[\]{}.^$\\]/.test(c) ? `\\${c}` : c);
    else if (c === "*") add(".*");
    else if (c === "?") add(".");
    else if (c === "$") add("\\$");
    else if (c === "." && withSchema) parts.push("");
    else add(/[A-Z]/.test(c) ? c.toLowerCase() : c); // as the server folds names: ASCII letters only
  }
  if (quoted)
    throw new PgdittoError("usage", `The pattern ${text} has an opening quote without a closing one.`, {
      object: text,
      hint: 'Write names with special characters as "Name", inside single quotes for the shell.',
    });
  if (parts.length > 2)
    throw new PgdittoError("usage", `The pattern ${text} has too many dots.`, {
      object: text,
      hint: 'Write schema.table; a dot in a name belongs in double quotes: "a.b".',
    });
  const anchored = parts.map((part) => `^(${part})$`);
  return { text, schema: parts.length === 2 ? anchored[0] : undefined, name: anchored.at(-1) ?? "" };
}
