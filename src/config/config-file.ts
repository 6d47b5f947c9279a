import { extname, isAbsolute, join, relative } from "node:path";

import { PgdittoError } from "../errors.ts";
import { nearest } from "../util/nearest.ts";
import { loadModule } from "./config-module.ts";
import { parseConfigJson } from "./config-json.ts";
import type { Locate } from "./endpoint-object.ts";
import { FILE_KEYS, type OptionKey } from "./options.ts";
import { refuse } from "./origin.ts";
import { factsOf, readText } from "./read-file.ts";
import { absolute, type Surroundings } from "./surroundings.ts";

const NAMES = ["pgditto.config.json", "pgditto.config.mjs"] as const;

/** A config file's content, its keys checked, its values not yet. */
export interface ConfigFile {
  path: string;
  values: ReadonlyMap<OptionKey, unknown>;
  /** Functions, so that only a module has them; not looked at yet. */
  hooks: unknown;
  /** File, line and column (JSON) and the key, for messages. */
  locate: Locate;
}

/**
 * Reads the config file: the one named, else the one in the current folder, else none.
 * @throws PgdittoError `usage` when the named file cannot be used, `config` for everything inside it.
 */
export async function loadConfigFile(named: string | undefined, surroundings: Surroundings): Promise<ConfigFile | undefined> {
  const path = named === undefined ? await findConfigFile(surroundings) : absolute(named, surroundings);
  if (path === undefined) return undefined;
  const name = displayName(path, surroundings);
  const { value, locate } = await readConfig(path, name, named !== undefined);
  const { hooks, ...options } = value as { hooks?: unknown };
  if (hooks !== undefined && extname(path) !== ".mjs")
    throw refuse(
      locate(["hooks"]),
      "hooks are functions, and JSON has none.",
      "Write the config as pgditto.config.mjs, or use --sql with a file.",
    );
  return { path, values: checkKeys(options, locate), hooks, locate };
}

async function readConfig(path: string, name: string, named: boolean): Promise<{ value: object; locate: Locate }> {
  const extension = extname(path);
  if (extension !== ".json" && extension !== ".mjs") {
    throw new PgdittoError("usage", `--config: ${name} is neither a .json nor an .mjs file.`, {
      object: name,
      hint: "Name the file pgditto.config.json, or pgditto.config.mjs with a default export.",
    });
  }
  const text = await readText(path, "config file", named ? "usage" : "config");
  return extension === ".json"
    ? parseConfigJson(text, name)
    : { value: await loadModule(path, name), locate: (keys) => ({ code: "config", name: `${name}: ${keys.join(".")}` }) };
}

async function findConfigFile(surroundings: Surroundings): Promise<string | undefined> {
  const found: string[] = [];
  if (surroundings.searchConfig === false) return undefined;
  for (const name of NAMES) {
    const path = join(surroundings.cwd, name);
    if ((await factsOf(path)) !== undefined) found.push(path);
  }
  if (found.length > 1) {
    throw new PgdittoError("config", `There are two config files, ${NAMES.join(" and ")}, in ${surroundings.cwd}.`, {
      object: NAMES[0],
      hint: "Remove one, or choose one with --config.",
    });
  }
  return found[0];
}

/** The path as short as it stays clear: relative below the current folder, absolute elsewhere. */
function displayName(path: string, { cwd }: Surroundings): string {
  const short = relative(cwd, path);
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}

function checkKeys(value: object, locate: Locate): Map<OptionKey, unknown> {
  const values = new Map<OptionKey, unknown>();
  for (const [key, entry] of Object.entries(value) as Array<[string, unknown]>) {
    // what editors read to find the schema
    if (key === "$schema") continue;
    const known = FILE_KEYS.find((name) => name === key);
    if (known === undefined) {
      const near = nearest(key, FILE_KEYS, 1)[0];
      throw refuse(
        locate([key]),
        "there is no such option.",
        near === undefined ? `The options are ${FILE_KEYS.join(", ")}.` : `Did you mean ${near}?`,
      );
    }
    if (entry !== undefined) values.set(known, entry);
  }
  return values;
}
