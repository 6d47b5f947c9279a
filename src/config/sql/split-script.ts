import { endOfQuoted, QUOTE_TOKENS } from "../../postgres/quoted.ts";
import { blockDepth } from "./block-depth.ts";

/** One statement of a file, without its semicolon. */
export interface RawStatement {
  text: string;
  /** Of its first character in the file, from 1. */
  line: number;
  /** Words outside of quotes and parentheses, in upper case, at most 16; a quoted thing is `"`. */
  words: readonly string[];
  variables: readonly VariableUse[];
}

/** `:'name'`, `:"name"`, `:name` or `:{?name}`, as psql knows them (manual, psql "SQL Interpolation"). */
interface VariableUse {
  /** In the statement's text. */
  at: number;
  length: number;
  form: "literal" | "identifier" | "bare" | "test";
  name: string;
  /** Within [ ]: `a[lo:hi]` may be a slice. */
  inBrackets: boolean;
  line: number;
}

/** Makes the error of a mistake in the file; it is thrown by whoever asks for it. */
export type Fail = (line: number, reason: string, hint: string) => Error;

export interface SplitScript {
  statements: RawStatement[];
  /** `--` comments, and the number of statements before each. */
  comments: Array<{ text: string; line: number; before: number }>;
}

const NAME = "[A-Za-z_\\u0080-\\uffff][\\w\\u0080-\\uffff]*";
const TOKEN = new RegExp(
  `--[^\\n\\r]*|::|:=|:'(?<literal>${NAME})'|:"(?<identifier>${NAME})"|:\\{\\?(?<test>${NAME})\\}|:(?<bare>${NAME})` +
    `|[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*|${QUOTE_TOKENS}|[;()[\\]\\\\]`,
  "g",
);
const FORMS = ["literal", "identifier", "test", "bare"] as const;
const WORDS = 16;

/** Cuts a file at its semicolons as psql does: not in quotes, comments, parentheses or the body of a function that is written BEGIN ATOMIC … END. */
export function splitScript(text: string, fail: Fail): SplitScript {
  const tokens = new RegExp(TOKEN); // its position is this walk's own
  const lineOf = lineCounter(text);
  const found: SplitScript = { statements: [], comments: [] };
  let begin = -1; // of the open statement
  let words: string[] = [];
  let uses: VariableUse[] = [];
  let open: number[] = []; // parentheses
  let brackets = 0;
  let blocks = blockDepth();
  let behind = 0; // the token before

  const close = (end: number): void => {
    const line = lineOf(begin);
    // at once: rows may follow, and in them nothing means what it says
    if (/^COPY .*\b(?:FROM STDIN|TO STDOUT)\b/.test(words.join(" "))) throw copyStream(line, fail);
    const variables = uses.map((use) => ({ ...use, at: use.at - begin }));
    if (begin >= 0) found.statements.push({ text: text.slice(begin, end).trimEnd(), line, words, variables });
    [begin, words, uses, open, brackets, blocks] = [-1, [], [], [], 0, blockDepth()];
  };
  const word = (name: string): void => {
    if (open.length === 0 && words.length < WORDS) words.push(name);
  };

  for (let match = tokens.exec(text); match; match = tokens.exec(text)) {
    const { 0: token, index: at } = match;
    const gap = text.slice(behind, at).search(/\S/);
    if (begin < 0 && gap >= 0) begin = behind + gap;
    const isComment = token === "/*" || token.startsWith("--");
    if (begin < 0 && !isComment && token !== ";") begin = at;
    const form = FORMS.find((name) => match.groups?.[name] !== undefined);
    if (token.startsWith("--")) found.comments.push({ text: token, line: lineOf(at), before: found.statements.length });
    else if (form) {
      const name = match.groups?.[form] ?? "";
      uses.push({ at, length: token.length, form, name, inBrackets: brackets > 0, line: lineOf(at) });
      word('"');
    } else if (token === ";") {
      if (open.length === 0 && blocks.depth() === 0) close(at);
    } else if (token === "(") open.push(at);
    else if (token === ")") open.pop();
    else if (token === "[" || token === "]") brackets = Math.max(0, brackets + (token === "[" ? 1 : -1));
    else if (token === "\\") throw metaCommand(text.slice(at), lineOf(at), fail);
    else if (/^["'$]|^\/\*/.test(token)) {
      tokens.lastIndex = endOfQuoted(text, token, at) ?? raise(unclosed(token, lineOf(at), fail));
      if (!isComment) word('"');
    } else if (!token.startsWith(":")) {
      word(token.toUpperCase());
      if (open.length === 0) blocks.word(token.toUpperCase());
    }
    behind = tokens.lastIndex;
  }
  const [parenthesis] = open;
  if (parenthesis !== undefined)
    throw fail(lineOf(parenthesis), "the file ends inside a parenthesis that begins here.", "Close it, or look for a missing quote.");
  if (blocks.depth() > 0)
    throw fail(lineOf(begin), "the file ends inside the BEGIN ... END of the function that begins here.", "Close it with END;");
  const gap = text.slice(behind).search(/\S/);
  if (begin < 0 && gap >= 0) begin = behind + gap;
  if (begin >= 0) close(text.length);
  return found;
}

function raise(error: Error): never {
  throw error;
}

function unclosed(token: string, line: number, fail: Fail): Error {
  const kinds: Readonly<Record<string, string>> = { "'": "a string", '"': "a quoted name", "/*": "a comment" };
  return fail(line, `the file ends inside ${kinds[token] ?? `the dollar quote ${token}`} that begins here.`, "Close it.");
}

function copyStream(line: number, fail: Fail): Error {
  return fail(
    line,
    "COPY … FROM STDIN and TO STDOUT need a client that sends or takes rows, and here is none.",
    "Write INSERT (pg_dump has --inserts), or COPY … FROM a file or PROGRAM on the server.",
  );
}

function metaCommand(rest: string, line: number, fail: Fail): Error {
  const command = /^\\(?:[A-Za-z_]+|\S?)/.exec(rest)?.[0] ?? "\\";
  return fail(
    line,
    `${command} is a command of psql, and no SQL.`,
    "Write SQL instead. Files can be given one by one (--sql), values by --set.",
  );
}

/** The number of the line that an offset lies in, from 1. */
function lineCounter(text: string): (at: number) => number {
  const breaks = [...text.matchAll(/\n/g)].map((match) => match.index);
  return (at) => {
    let [low, high] = [0, breaks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((breaks[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}
