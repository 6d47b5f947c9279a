import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface SourceFile {
  /** Relative to the folder that was read, with `/`. */
  path: string;
  text: string;
}

/** All TypeScript files under a folder of the checkout; unit tests only when asked for. */
export function readSources(folder: string, options: { tests?: boolean } = {}): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.m?ts$/.test(path) && (options.tests === true || !path.endsWith(".test.ts")))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(ROOT, folder, path), "utf8") }));
}

/** What a module names to import or re-export, types included, and the modules that it starts by URL (workers). */
export function specifiersOf(text: string): string[] {
  const code = withoutComments(text);
  const patterns = [
    /^\s*(?:import|export)\b[^;"]*?\bfrom\s+"([^"]+)"/gm,
    /^\s*import\s+"([^"]+)"/gm,
    /\bimport\(\s*"([^"]+)"/g,
    /\bnew URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ""));
}

/** The files of the same folder tree that a file imports. */
export function importsOf(file: SourceFile): string[] {
  return specifiersOf(file.text)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(file.path), specifier));
}

/** Whole-line comments and what follows ` // `: what is left may still hold strings. */
export function withoutComments(text: string): string {
  return text
    .replaceAll(/^\s*\/\*[^]*?\*\/\s*$/gm, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/ \/\/ .*$/gm, "");
}
