import { createHash } from "node:crypto";
import { lstat, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import type { DatabaseIdentity } from "../../catalog/database.ts";
import type { Requirements } from "../../catalog/requirements.ts";
import type { RowHash } from "../../catalog/row-hash.ts";
import { PgdittoError } from "../../errors.ts";
import type { EndpointSummary } from "../../events.ts";
import type { DumpEntry, SequenceValue } from "../../plan/task.ts";
import type { TemplateObject } from "../../target/template-objects.ts";
import type { InventoryItem } from "../../verify/inventory.ts";
import type { SourceSpace } from "../preflight/target-space.ts";
import type { Catalog } from "../read-source.ts";
import type { DumpFile } from "./dump-files.ts";
import { MANIFEST } from "./dump-folder.ts";
import { isManifest } from "./manifest-shape.ts";

/** The format of the manifest; a pgditto that does not know it refuses the folder. */
const FORMAT = 1;

/** All that an import needs to know of the source beside the files: the plan is made of it, and the copy is compared with it. */
export interface Manifest {
  /** ISO 8601. */
  made: string;
  run: string;
  /** pgditto's. */
  version: string;
  snapshot: string;
  /** No password. */
  source: EndpointSummary;
  serverVersion: number;
  pgDump: { version: number; text: string };
  format: "directory" | "custom";
  database: Pick<DatabaseIdentity, "encoding" | "locales">;
  /** What the export was asked to leave out. */
  options: { noOwner: boolean; noAcl: boolean; noTablespaces: boolean; skipExtensions: readonly string[] };
  requirements: Requirements;
  space: Omit<SourceSpace, "sizes"> & { sizes: Awaited<ReturnType<SourceSpace["sizes"]>> };
  catalog: Omit<Catalog, "selected" | "relations"> & {
    selected: readonly number[];
    relations: { dependencies: Catalog["relations"]["dependencies"]; defaults: ReadonlyArray<readonly [number, number]> };
  };
  entries: readonly DumpEntry[];
  sequences: readonly SequenceValue[];
  lacking: readonly TemplateObject[];
  inventory: readonly InventoryItem[];
  /** By OID of the table. */
  counts: Readonly<Record<string, { rows: number; sum?: string }>>;
  /** With `--verify checksum`: how the rows were hashed, by OID of the table. */
  hashes?: Readonly<Record<string, Pick<RowHash, "sql" | "leftOut">>> | undefined;
  files: readonly DumpFile[];
}

/** Writes it last, and in one piece: a folder that has one is complete. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const contents = JSON.stringify(manifest);
  const text = `{"format":${FORMAT},"sha256":"${digest(contents)}","contents":${contents}}\n`;
  const temporary = join(folder, `${MANIFEST}.tmp`);
  {
    await using file = await open(temporary, "w", 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(temporary, join(folder, MANIFEST));
  await using made = await open(folder);
  // not every file system syncs folders
  await made.sync().catch(() => undefined);
}

/** @throws PgdittoError `dump-folder` when there is none, it is of a newer format, or it is not as it was written. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST);
  const text = await readText(path).catch((error: unknown) => {
    throw notThere(folder, error);
  });
  if (text === undefined) throw altered(path);
  const parsed = parse(text);
  if (typeof parsed?.format === "number" && parsed.format > FORMAT) {
    throw new PgdittoError("dump-folder", `${path} is of format ${parsed.format}; this pgditto reads up to ${FORMAT}.`, {
      object: path,
      hint: "Import it with the pgditto that made it, or a newer one.",
    });
  }
  // written by JSON.stringify, so that it comes out of it the same again
  if (parsed?.format !== FORMAT || parsed.sha256 !== digest(JSON.stringify(parsed.contents))) throw altered(path);
  if (!isManifest(parsed.contents)) throw altered(path);
  return parsed.contents as Manifest;
}

/** Undefined: it is no file, and reading a pipe may never end. */
async function readText(path: string): Promise<string | undefined> {
  return (await lstat(path)).isFile() ? await readFile(path, "utf8") : undefined;
}

function parse(text: string): { format?: unknown; sha256?: unknown; contents?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function altered(path: string): PgdittoError {
  return new PgdittoError("dump-folder", `${path} is not as it was written: it was truncated or altered.`, {
    object: path,
    hint: "Copy the folder again from where it was made, or export again.",
  });
}

function notThere(folder: string, cause: unknown): PgdittoError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const missing = code === "ENOENT" || code === "ENOTDIR";
  const reason = missing ? "there is no manifest.json in it" : cause instanceof Error ? cause.message : String(cause);
  return new PgdittoError("dump-folder", `${folder} is not a dump that can be imported: ${reason}.`, {
    object: folder,
    hint: missing ? "Name the folder of a `pgditto export` that succeeded; the manifest is written last." : undefined,
    cause,
  });
}
