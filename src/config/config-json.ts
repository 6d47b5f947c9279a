import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

import { PgdittoError } from "../errors.ts";
import { kindOf, type Locate } from "./endpoint-object.ts";
import { refuse } from "./origin.ts";

/** What the parser's words mean to whoever has to mend the file. None of them shows content: a password may stand there. */
const REASONS: Readonly<Record<string, string>> = {
  InvalidSymbol: "a word is not in double quotes.",
  InvalidNumberFormat: "a number is malformed.",
  PropertyNameExpected: "a key in double quotes belongs here.",
  ValueExpected: "a value belongs here.",
  ColonExpected: "a colon belongs here, between key and value.",
  CommaExpected: "a comma belongs here, between two entries.",
  CloseBraceExpected: "a closing } is missing.",
  CloseBracketExpected: "a closing ] is missing.",
  EndOfFileExpected: "something follows the closing }.",
  UnexpectedEndOfComment: "a comment is not closed.",
  UnexpectedEndOfString: "a string is not closed.",
  UnexpectedEndOfNumber: "a number is malformed.",
  InvalidUnicode: "a \\u escape is malformed.",
  InvalidEscapeCharacter: "a backslash escape is not one of JSON's.",
  InvalidCharacter: "a control character stands in a string.",
};

/** Parses JSON with comments and trailing commas; the answer knows line and column of every key. */
export function parseConfigJson(text: string, name: string): { value: object; locate: Locate } {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: false });
  const [error] = errors;
  if (error !== undefined) {
    const reason = REASONS[printParseErrorCode(error.error)] ?? "this is not JSON.";
    throw new PgdittoError("config", `${name}:${position(text, error.offset)}: ${reason}`, {
      object: name,
      hint: "The file is JSON; comments and trailing commas are allowed.",
    });
  }
  const value: unknown = root === undefined ? undefined : getNodeValue(root);
  if (root === undefined || typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PgdittoError("config", `${name}:1:1: the file holds ${kindOf(value)}, not an object.`, {
      object: name,
      hint: 'Write { "target": "postgresql://..." }.',
    });
  }
  const locate: Locate = (path) => {
    const node = findNodeAtLocation(root, [...path]);
    // the property, so that the column is that of the key
    const offset = (node?.parent?.type === "property" ? node.parent : node)?.offset ?? 0;
    return { code: "config", name: `${name}:${position(text, offset)}: ${path.join(".")}` };
  };
  refuseDuplicates(root, text, name);
  return { value, locate };
}

/** JSON says nothing of a key that is given twice; parsers take either. We do neither. */
function refuseDuplicates(node: Node, text: string, name: string): void {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (node.type === "object") {
      const key = child.children?.[0];
      const word: unknown = key?.value;
      if (key !== undefined && seen.has(word))
        throw refuse(
          { code: "config", name: `${name}:${position(text, key.offset)}: ${String(word)}` },
          "this key is given twice.",
          "Remove one of them.",
        );
      seen.add(word);
    }
    refuseDuplicates(child, text, name);
  }
}

/** `line:column`, both from 1. */
function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1) ?? "").length + 1}`;
}
