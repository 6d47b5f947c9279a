import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What a module's `.d.ts` exports: names with their declarations, without comments; re-exports followed. */
export function exportedDeclarations(file: string): Map<string, string> {
  const text = withoutComments(readFileSync(file, "utf8"));
  const found = new Map<string, string>();
  for (const [, names = "", from = ""] of text.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";$/gm)) {
    const there = exportedDeclarations(join(dirname(file), from.replace(/\.[jt]s$/, ".d.ts")));
    for (const part of names.split(",")) {
      const name = part.trim().replace(/^type /, "");
      if (name === "") continue;
      const declaration = there.get(name);
      if (declaration === undefined) throw new Error(`${file} exports ${name} of ${from}, which is not there`);
      found.set(name, declaration);
    }
  }
  for (const match of text.matchAll(/^export (?:declare )?(?:abstract )?(?:interface|type|class|function|const) (\w+)/gm)) {
    const name = match[1] ?? "";
    found.set(name, [found.get(name), declarationAt(text, match.index)].filter((part) => part !== undefined).join("\n"));
  }
  return found;
}

/** Up to the semicolon or the closing brace that ends it. */
function declarationAt(text: string, start: number): string {
  const hasBody = /^export (?:declare )?(?:abstract )?(?:interface|class) /.test(text.slice(start));
  let depth = 0;
  for (let i = start; i < text.length; i += 1) {
    const c = text.charAt(i);
    if ("{([".includes(c)) depth += 1;
    if ("})]".includes(c)) depth -= 1;
    if (depth === 0 && (hasBody ? c === "}" : c === ";")) return text.slice(start, i + 1);
  }
  throw new Error(`a declaration without an end: ${text.slice(start, start + 80)}`);
}

function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[^]*?\*\//g, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("//"))
    .join("\n");
}
