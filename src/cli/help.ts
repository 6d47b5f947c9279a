import { type Command, GROUPS, type OptionSpec, WORDS } from "../config/option-spec.ts";
import { OPTION_KEYS } from "../config/options.ts";
import { specFor } from "./help-on-target.ts";

const WIDTH = 100;
/** Where the explanation of a flag begins. */
const COLUMN = 30;

const SUMMARIES: Record<Command, { line: string; text: string; example: string }> = {
  sync: {
    line: "make a verified copy of the source in the target (default)",
    text: "Copies schema and rows of the source (MAIN) under one snapshot into a staging database beside the target (ARCHIVE), compares the two, and swaps the copy in. Whatever fails before the swap leaves the target as it was (but for --mode recreate, which drops it first).",
    example: "pgditto --source postgresql://app@db1/shop --target postgresql://app@db2/shop_copy --jobs 8",
  },
  plan: {
    line: "show what sync would do; writes nothing",
    text: "Reads the source and prints tables, partitions, sizes, order, and what is left out and why. Takes the flags of sync; writes nothing on either side.",
    example: "pgditto plan --table public.orders --json",
  },
  verify: {
    line: "compare the two databases as they are: schema, rows, sequences",
    text: "Compares source and target, each under one snapshot, and names what differs: objects of the schema, rows by primary key, large objects, values of sequences. Rows by checksum, or with --verify counts by number. Writes nothing on either side. Exit code 0: the same; 3: not.",
    example: "pgditto verify --table public.orders --verify counts",
  },
  doctor: {
    line: "find every obstacle before a sync, each with its fix",
    text: "Runs the checks that sync makes before it touches anything, and prints all obstacles at once. Takes the flags of sync.",
    example: "pgditto doctor --target postgresql://app@db2/shop_copy",
  },
  export: {
    line: "write the source into a folder, for an import on another day or machine",
    text: "Writes the whole source (MAIN) under one snapshot into the folder DIR, which is new or empty: the schema, the rows as pg_dump writes them, large objects, and a manifest with the SHA-256 of every file. Needs an installed pg_dump, and no target. After a failure what was written is removed.",
    example: "pgditto export /backup/shop --source postgresql://app@db1/shop --jobs 4",
  },
  import: {
    line: "make the target from a folder that export has written",
    text: "Makes the target (ARCHIVE) from the folder DIR of an export, as sync would have on that day: every file is checked first, then staging, rows by pg_restore, validation against the manifest, and the swap. Needs an installed pg_restore, and no source.",
    example: "pgditto import /backup/shop --target postgresql://app@db2/shop_copy",
  },
  cleanup: {
    line: "remove what dead runs left behind",
    text: "Lists the databases that dead runs left on the target's server, whatever their target, and folders they left on this machine; confirmed, removes them. Runs that live are left alone.",
    example: "pgditto cleanup --yes",
  },
  constraints: {
    line: "take constraints off the target before a difficult import, and put them back",
    text: "drop takes foreign keys, checks, unique, exclusion and not-null constraints off the target's tables, restore puts them back (foreign keys and checks NOT VALID, then validated side by side), list shows what is off. Each goes in one transaction with the row of pgditto.ledger, in the target, that brings it back. Only the target is connected to; --table and its like choose whose constraints. Exit code 3: rows break a constraint; they are shown.",
    example: "pgditto constraints drop --target postgresql://app@db2/shop --save restore.sql",
  },
  repair: {
    line: "put back what a reload that died had taken off in the target",
    text: "Puts back constraints, indexes and triggers that a run took off and did not put back, because it was killed or its server was lost. Runs that live are left alone. What `pgditto constraints drop` took off stays off. Exit code 3: rows break a constraint; they are shown.",
    example: "pgditto repair --target postgresql://app@db2/shop",
  },
  demo: {
    line: "two embedded PostgreSQL servers, sample data, and a sync between them",
    text: "Starts two embedded PostgreSQL servers, fills one with a small shop, syncs it to the other and removes everything.",
    example: "pgditto demo --keep",
  },
};

const EXIT_CODES = `Exit codes:
  0  done and verified                       5  cannot connect to the target
  1  failed; the error says what to do       6  refused, or no room on the target
  2  wrong usage or configuration            9  another run holds this target
  3  the copy differs, or rows break a key   130, 143  cancelled by Ctrl+C, SIGTERM
  4  cannot connect to the source`;

const ENVIRONMENT = [
  "Each option is taken from its flag, else its environment variable, else the config file, else its default; an empty variable counts as not set.",
  "MAIN_DB_HOST, MAIN_DB_PORT, MAIN_DB_USER, MAIN_DB_PASSWORD and MAIN_DB_NAME fill what the source's URL lacks, ARCHIVE_DB_* what the target's lacks. Of libpq's variables PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY, PGSSLCRL, PGSSLNEGOTIATION, PGPASSFILE, PGSERVICE, PGSERVICEFILE, PGSYSCONFDIR, PGPASSWORD and PGOPTIONS are read; PGHOST, PGPORT, PGUSER and PGDATABASE are not, for they cannot mean two databases.",
  "Passwords are looked for in the URL or *_DB_PASSWORD, the password file (~/.pgpass), the service file, PGPASSWORD. In a flag they can be seen by everyone on the machine.",
];

/** The help text: of one command, or the general one. At most 100 columns. */
export function helpText(command: Command | undefined): string {
  return `${(command === undefined ? generalHelp() : commandHelp(command)).join("\n")}\n`;
}

function generalHelp(): string[] {
  return [
    "pgditto makes a complete, verified copy of a PostgreSQL database.",
    "",
    "Usage: pgditto [command] [flags]",
    "",
    "Commands:",
    ...Object.entries(SUMMARIES).flatMap(([name, { line }]) => row(name, line, 13)),
    "",
    ...flagLines("sync"),
    "",
    ...wrap("pgditto COMMAND --help says which flags a command takes.", WIDTH),
    "",
    ...trailer("sync"),
  ];
}

function commandHelp(command: Command): string[] {
  const word = WORDS[command];
  const usage = [command, ...(word ? [word.choices?.join("|") ?? word.placeholder] : [])].join(" ");
  return [
    `Usage: pgditto ${usage} [flags]`,
    "",
    ...wrap(SUMMARIES[command].text, WIDTH),
    "",
    ...flagLines(command),
    "",
    ...trailer(command),
  ];
}

function flagLines(command: Command): string[] {
  const specs = OPTION_KEYS.map((key) => specFor(command, key)).filter((spec) => spec.commands.includes(command));
  const groups = GROUPS.map((group) => ({ group, rows: specs.filter((spec) => spec.group === group).flatMap(flagRow) }));
  return [
    ...groups.filter(({ rows }) => rows.length > 0).flatMap(({ group, rows }) => [`${group}:`, ...rows, ""]),
    ...row("-h, --help", "Show this help.", COLUMN),
    ...row("-V, --version", "Show the version.", COLUMN),
  ];
}

function flagRow(spec: OptionSpec): string[] {
  const value = "placeholder" in spec ? ` ${spec.placeholder}` : spec.type === "choice" ? ` ${spec.choices.join("|")}` : "";
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  const notes = [
    ...(spec.aliases ?? []).map((alias) => `also --${alias}`),
    ...("default" in spec ? [`default ${spec.default}`] : "fallback" in spec ? [`default: ${spec.fallback}`] : []),
    ...(spec.env === undefined ? [] : [`environment: ${spec.env}`]),
  ];
  return row(`${short}--${spec.flag}${value}`, notes.length === 0 ? spec.help : `${spec.help} (${notes.join("; ")})`, COLUMN);
}

function trailer(command: Command): string[] {
  const environment =
    command === "demo" ? [] : ["Environment:", ...ENVIRONMENT.flatMap((text) => wrap(text, WIDTH - 2).map((line) => `  ${line}`)), ""];
  return [...environment, EXIT_CODES, "", "Example:", `  ${SUMMARIES[command].example}`];
}

/** Two columns; a left side that is too wide has a line of its own. */
function row(left: string, right: string, column: number): string[] {
  const label = `  ${left}`;
  const lines = wrap(right, WIDTH - column - 2).map((line) => " ".repeat(column + 2) + line);
  if (label.length >= column + 1) return [label, ...lines];
  return [label.padEnd(column + 2) + (lines[0] ?? "").trimStart(), ...lines.slice(1)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
