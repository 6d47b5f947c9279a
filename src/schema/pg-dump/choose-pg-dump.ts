import { PgdittoError } from "../../errors.ts";
import { clientPackage } from "./client-package.ts";
import { type PgDumpProgram, WASM_PG_DUMP } from "./pg-dump-program.ts";
import { majorOf, versionTextOf } from "../../postgres/version.ts";
import { nativeWarning, wasmWarning } from "./safe-minor.ts";

/** `--pg-dump`. */
export type PgDumpChoice = "auto" | "native" | "wasm";

/** A native pg_dump that answered `--version`. */
export interface FoundPgDump {
  path: string;
  version: number;
  /** True for the one the user named with PGDITTO_PG_BIN: it is taken whenever it suits the server. */
  named: boolean;
}

export interface ChooseInput {
  choice: PgDumpChoice;
  found: readonly FoundPgDump[];
  platform: string;
  /** As `SHOW server_version_num`: 150018. */
  sourceVersion: number;
  /** Undefined: only the source counts. */
  targetVersion?: number | undefined;
}

/**
 * Which pg_dump reads the source. It must not be older than the server; among those that suit, the newest that is no newer
 * than both servers, because a newer one may write syntax that an older target refuses; else the least newer one.
 * @throws PgdittoError `dump` when none suits.
 */
export function choosePgDump(input: ChooseInput): PgDumpProgram {
  const { choice, found, platform, sourceVersion } = input;
  if (choice === "wasm") return wasm(input, undefined);
  const best = found.toSorted(preference(input))[0];
  if (best !== undefined && majorOf(best.version) >= majorOf(sourceVersion)) {
    const passedOver = found.find((one) => one.named && majorOf(one.version) < majorOf(sourceVersion));
    const versionText = versionTextOf(best.version);
    return {
      kind: "native",
      path: best.path,
      version: best.version,
      versionText,
      note:
        passedOver === undefined
          ? undefined
          : `PGDITTO_PG_BIN's pg_dump ${versionTextOf(passedOver.version)} is older than server ${majorOf(sourceVersion)}; using pg_dump ${versionText} (${best.path})`,
      warning: nativeWarning(best.version, best.path, platform),
    };
  }
  if (choice === "native") throw unsuitable(input);
  return wasm(
    input,
    `No native pg_dump suits server ${majorOf(sourceVersion)} (${describeFound(found)}); using the built-in WASM pg_dump ${WASM_PG_DUMP.versionText}`,
  );
}

/** Sorts the one to take first. Those that do not suit come last, newest first. */
function preference({ sourceVersion, targetVersion }: ChooseInput): (a: FoundPgDump, b: FoundPgDump) => number {
  const ceiling = Math.max(majorOf(sourceVersion), majorOf(targetVersion ?? 0));
  const rank = (one: FoundPgDump): number => {
    const major = majorOf(one.version);
    if (major < majorOf(sourceVersion)) return 3;
    if (one.named) return 0;
    return major <= ceiling ? 1 : 2;
  };
  return (a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    // above the ceiling the least major is best, everywhere else the greatest; of one major, the newest minor
    const byMajor = majorOf(b.version) - majorOf(a.version);
    if (byMajor !== 0) return rank(a) === 2 ? -byMajor : byMajor;
    return b.version - a.version;
  };
}

function wasm(input: ChooseInput, note: string | undefined): PgDumpProgram {
  if (majorOf(input.sourceVersion) > majorOf(WASM_PG_DUMP.version)) throw unsuitable(input);
  return { kind: "wasm", ...WASM_PG_DUMP, note, warning: wasmWarning(WASM_PG_DUMP.version, input.platform) };
}

function unsuitable({ choice, found, platform, sourceVersion }: ChooseInput): PgdittoError {
  const major = majorOf(sourceVersion);
  const install = `Install one that is not older than the server: ${clientPackage(major, platform)}`;
  const wasmReaches = major <= majorOf(WASM_PG_DUMP.version);
  const seen = choice === "wasm" ? `the built-in one is ${WASM_PG_DUMP.versionText}` : describeFound(found);
  return new PgdittoError(
    "dump",
    `No ${choice === "wasm" ? "built-in" : "native"} pg_dump suits server ${versionTextOf(sourceVersion)}: ${seen}.`,
    {
      object: "pg_dump",
      side: "source",
      hint: wasmReaches
        ? `${install}, name its folder in PGDITTO_PG_BIN, or pass --pg-dump wasm.`
        : `${install}, or name its folder in PGDITTO_PG_BIN.`,
    },
  );
}

function describeFound(found: readonly FoundPgDump[]): string {
  if (found.length === 0) return "none found";
  return `found ${found.map((one) => `${versionTextOf(one.version)} in ${one.path.replace(/\/pg_dump$/, "")}`).join(", ")}`;
}
