import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { RowHashes } from "../../catalog/row-hash.ts";
import { PgdittoError } from "../../errors.ts";
import { buildPlan, type Plan } from "../../plan/build-plan.ts";
import { parseEntries, type SchemaEntry } from "../../schema/entries.ts";
import type { TargetAbilities } from "../../target/abilities.ts";
import { withoutOwnerOfPublic } from "../read-source.ts";
import type { Run } from "../run.ts";
import { SCHEMA } from "./dump-folder.ts";
import type { Manifest } from "./manifest.ts";
import { leaveOut } from "./leave-out.ts";

/** The plan of an import: made of the manifest and the schema's script by the same function as any other. */
export async function planOfDump(
  run: Run,
  dump: { folder: string; manifest: Manifest },
  { abilities, atOnce }: { abilities: TargetAbilities; atOnce: number },
): Promise<Plan> {
  const { folder, manifest } = dump;
  const { catalog, entries, sequences } = manifest;
  return buildPlan({
    ...catalog,
    selected: new Set(catalog.selected),
    relations: { ...catalog.relations, defaults: new Map(catalog.relations.defaults) },
    entries: withoutOwnerOfPublic(run, leaveOut(run, await readEntries(folder)), abilities),
    skipExtensions: run.config.skipExtensions,
    binaryObstacle: () => undefined,
    streams: 1,
    rangeScans: false,
    rowHash: hashesOf(run, manifest),
    kept: new Map(),
    dumped: { entries, sequences, atOnce },
    steps: run.steps,
  });
}

async function readEntries(folder: string): Promise<SchemaEntry[]> {
  return parseEntries(await readFile(join(folder, SCHEMA), "utf8"));
}

/** How the export has hashed the rows. @throws PgdittoError `usage` when it was not asked to. */
export function hashesOf({ config }: Run, { hashes }: Manifest): RowHashes | undefined {
  if (config.verify !== "checksum") return undefined;
  if (!hashes) {
    throw new PgdittoError("usage", "The dump holds no checksums to compare with.", {
      object: "--verify",
      hint: "Export with --verify checksum, or import with --verify counts: rows are counted then.",
    });
  }
  return ({ oid }) => ({ sql: "", leftOut: [], ...hashes[oid], columns: [] });
}
