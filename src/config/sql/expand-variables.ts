import { quoteIdent, quoteLiteral } from "../../postgres/quote.ts";
import { type Fail, type RawStatement, splitScript } from "./split-script.ts";

/** By name, as `--set` gives them. */
export type Variables = ReadonlyMap<string, string>;

/**
 * The statement with its variables in place, quoted as psql does it (manual, psql "SQL Interpolation").
 * @throws what `fail` makes, of a variable that has no value.
 */
export function expandVariables(statement: RawStatement, variables: Variables, fail: Fail): string {
  let [sql, from] = ["", 0];
  for (const use of statement.variables) {
    const value = variables.get(use.name);
    const written = statement.text.slice(use.at, use.at + use.length);
    sql += statement.text.slice(from, use.at);
    from = use.at + use.length;
    // outside of a slice of an array a colon means nothing in SQL
    if (value === undefined && use.form !== "test" && !use.inBrackets)
      throw fail(use.line, `the variable ${written} has no value.`, `Give it one: --set ${use.name}=VALUE.`);
    if (use.form === "test") sql += value === undefined ? "FALSE" : "TRUE";
    else if (value === undefined) sql += written;
    else sql += use.form === "literal" ? quoteLiteral(value) : use.form === "identifier" ? quoteIdent(value) : value;
  }
  return sql + statement.text.slice(from);
}

/**
 * The words of the statement that is sent. What is put in bare may be anything, but not a second statement or an open quote, for nobody has looked at those.
 * @throws what `fail` makes, of such a value.
 */
export function wordsExpanded(sql: string, { line, words, variables }: RawStatement, fail: Fail): readonly string[] {
  const bare = variables.filter(({ form }) => form === "bare").map(({ name }) => `:${name}`);
  if (bare.length === 0) return words;
  const broken = (): Error =>
    fail(
      line,
      `with the value of ${[...new Set(bare)].join(", ")} this is not one statement.`,
      "Quote it: :'name' makes a string of a value, :\"name\" a name.",
    );
  const [only, second] = splitScript(sql, broken).statements;
  if (!only || second) throw broken();
  return only.words;
}

/** A server's words about a statement may hold values that were put in: these give way to the variable's name. */
export function withoutValues(text: string, variables: Variables): string {
  let hidden = text;
  for (const [name, value] of [...variables].toSorted(([, a], [, b]) => b.length - a.length)) {
    if (value === "") continue;
    const literal = value.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    // a short one only as a word: `1` is a part of too many others
    const found = value.length < 4 ? `(?<![\\w])${literal}(?![\\w])` : literal;
    hidden = hidden.replaceAll(new RegExp(found, "g"), `:${name}`);
  }
  return hidden;
}
