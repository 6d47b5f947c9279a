import { parseArgs, type ParseArgsConfig } from "node:util";

import { type Command, COMMANDS, WORDS } from "../config/option-spec.ts";
import { parseOption } from "../config/option-value.ts";
import { OPTION_KEYS, type OptionKey, specOf } from "../config/options.ts";
import { type Origin, refuse } from "../config/origin.ts";
import type { CliFlags } from "../config/pgditto-options.ts";
import { PgdittoError } from "../errors.ts";
import { nearest } from "../util/nearest.ts";

export interface ParsedArgv {
  command: Command;
  /** False when no command was written, so that `command` is the default, `sync`. */
  commandGiven: boolean;
  /** What stands behind the command, where it takes a word. */
  word: string | undefined;
  flags: CliFlags;
  help: boolean;
  version: boolean;
}

type FlagToken = Extract<ReturnType<typeof tokenize>[number], { kind: "option" }>;

/** Every long flag, aliases included, with the option that it sets. */
const FLAGS: ReadonlyMap<string, OptionKey> = new Map(
  OPTION_KEYS.flatMap((key) => [specOf(key).flag, ...(specOf(key).aliases ?? [])].map((flag) => [flag, key] as const)),
);

/**
 * Reads the command line (without `node` and the script). `help` and `version` win over whatever else is wrong.
 * @throws PgdittoError `usage`, naming the flag or command and the nearest one there is. No value of an unknown flag is shown.
 */
export function parseArgv(argv: readonly string[]): ParsedArgv {
  const tokens = tokenize(argv);
  const flagTokens = tokens.filter((token) => token.kind === "option");
  const words = tokens.filter((token) => token.kind === "positional").map((token) => token.value);
  const has = (name: string): boolean => flagTokens.some((token) => token.name === name);
  const asked = words[0] === "help";
  const help = asked || has("help");
  const version = has("version");
  const unknown = help || version ? undefined : flagTokens.find((token) => !FLAGS.has(token.name));
  const word = asked ? words[1] : words[0];
  const command = COMMANDS.find((name) => name === word);
  if (unknown !== undefined) throw unknownFlag(unknown, command);
  if (word !== undefined && command === undefined) throw unknownCommand(word);
  const chosen = command ?? "sync";
  const commandGiven = command !== undefined;
  if (help || version) return { command: chosen, commandGiven, word: undefined, flags: {}, help, version };
  return { command: chosen, commandGiven, word: readWord(words.slice(1), chosen), flags: readFlags(flagTokens, chosen), help, version };
}

/** The words behind the command: one where it takes one, else none. */
function readWord(words: readonly string[], command: Command): string | undefined {
  const taken = WORDS[command];
  const [word] = words;
  if (words.length > (taken ? 1 : 0))
    throw new PgdittoError(
      "usage",
      taken
        ? `pgditto ${command} takes one ${taken.placeholder}, and there is a further word behind it.`
        : `pgditto ${command} takes flags only, and there is a further word behind it.`,
      { object: command, hint: "Databases are given with --source and --target, tables with --table." },
    );
  if (!taken) return undefined;
  const choices = taken.choices?.join(", ");
  if (word === undefined)
    throw new PgdittoError("usage", `pgditto ${command} needs a word behind it: ${choices ?? taken.placeholder}.`, {
      object: command,
      hint: `Write pgditto ${command} ${taken.choices?.[0] ?? taken.placeholder}.`,
    });
  if (taken.choices && !taken.choices.includes(word)) {
    const near = nearest(word, taken.choices, 1)[0];
    throw new PgdittoError("usage", `pgditto ${command}: there is no such ${taken.placeholder.toLowerCase()}.`, {
      object: command,
      hint: near === undefined ? `It is one of ${choices}.` : `Did you mean ${near}?`,
    });
  }
  return word;
}

function tokenize(argv: readonly string[]) {
  const options: NonNullable<ParseArgsConfig["options"]> = {
    help: { type: "boolean", short: "h" },
    version: { type: "boolean", short: "V" },
  };
  for (const [flag, key] of FLAGS) {
    const { type, short } = specOf(key);
    options[flag] = {
      type: type === "boolean" ? "boolean" : "string",
      ...(short !== undefined && flag === specOf(key).flag ? { short } : {}),
    };
  }
  // not strict: its errors name neither near flags nor the command, and quote values
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function readFlags(tokens: readonly FlagToken[], command: Command): CliFlags {
  const values = new Map<OptionKey, unknown>();
  for (const token of tokens) {
    const key = FLAGS.get(token.name);
    if (key === undefined) continue;
    const { commands, type } = specOf(key);
    if (!commands.includes(command)) throw wrongCommand(token.rawName, command, commands);
    const origin: Origin = { code: "usage", name: token.rawName };
    const value = parseOption(key, textOf(token, type === "boolean", origin), origin, "flag");
    const before = values.get(key);
    // lists grow, everything else is overruled by what comes later, as in most programs
    const isList = type === "names" || type === "pairs";
    values.set(key, isList && Array.isArray(before) ? [...(before as unknown[]), ...(value as readonly string[])] : value);
  }
  // each value came out of parseOption for its own key
  return Object.fromEntries(values) as CliFlags;
}

function textOf(token: FlagToken, boolean: boolean, origin: Origin): string {
  const { value } = token;
  if (boolean) return value ?? "true";
  // --jobs --yes: the value was forgotten; --jobs -1 is a value, though a wrong one
  if (value === undefined || (!token.inlineValue && /^--?[a-z]/i.test(value))) {
    throw refuse(
      origin,
      "the value is missing.",
      `Write ${token.rawName} VALUE${value === undefined ? "" : `, or --${token.name}=VALUE where the value begins with a dash`}.`,
    );
  }
  return value;
}

function unknownFlag(token: FlagToken, command: Command = "sync"): PgdittoError {
  const names = [...FLAGS].filter(([, key]) => specOf(key).commands.includes(command)).map(([flag]) => `--${flag}`);
  // a short flag resembles every other short flag
  const near = token.rawName.length < 4 ? undefined : nearest(token.rawName, [...names, "--help", "--version"], 1)[0];
  const positive = token.name.replace(/^no-/, "");
  let hint = near === undefined ? `pgditto ${command} --help lists the flags.` : `Did you mean ${near}?`;
  if (positive !== token.name && names.includes(`--${positive}`)) hint = `Write --${positive}=false.`;
  return new PgdittoError("usage", `There is no flag ${token.rawName}.`, { object: token.rawName, hint });
}

function wrongCommand(flag: string, command: Command, commands: readonly Command[]): PgdittoError {
  return new PgdittoError("usage", `${flag} is not a flag of pgditto ${command}.`, {
    object: flag,
    hint: `It belongs to ${commands.join(", ")}. pgditto ${command} --help lists the flags.`,
  });
}

function unknownCommand(word: string): PgdittoError {
  // anything that does not look like a command may be a URL with a password in it
  if (!/^[a-z][a-z-]{0,20}$/i.test(word)) {
    return new PgdittoError("usage", "There is an argument that is neither a command nor a flag.", {
      hint: "Databases are given with --source and --target; pgditto --help lists commands and flags.",
    });
  }
  const near = nearest(word, COMMANDS, 1)[0];
  return new PgdittoError("usage", `There is no command ${word}.`, {
    object: word,
    hint: near === undefined ? `The commands are ${COMMANDS.join(", ")}.` : `Did you mean ${near}?`,
  });
}
