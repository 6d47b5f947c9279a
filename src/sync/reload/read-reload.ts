import { readSequences, type SequenceInfo } from "../../catalog/relations.ts";
import { readRowHashes, type RowHashes } from "../../catalog/row-hash.ts";
import { selectTables } from "../../catalog/select-tables.ts";
import { readSequenceUsers } from "../../catalog/sequence-users.ts";
import { readTableShapes, shapeKey, type TableShape } from "../../catalog/table-shapes.ts";
import { readTables, type TableInfo } from "../../catalog/tables.ts";
import { type BinaryObstacle, readBinarySafety } from "../../catalog/types.ts";
import { readUserTypes } from "../../catalog/user-types.ts";
import type { Obstacle } from "../../errors.ts";
import { matchTables } from "../../plan/match-tables.ts";
import { buildReloadPlan, type ReloadPlan } from "../../plan/reload-plan.ts";
import { displayName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { plural } from "../../util/format.ts";
import { compareStructure, type Structure } from "../../verify/compare-structure.ts";
import { leavingOut } from "../../config/strategy.ts";
import { freezeTables } from "../freeze-tables.ts";
import type { Opened } from "../open.ts";
import { info, type Run, stage, warn } from "../run.ts";
import { type InTheWay, readInTheWay } from "./in-the-way.ts";
import { rightsObstacles, unreadableObstacles } from "./reload-obstacles.ts";
import { orderByKeys } from "./order-by-keys.ts";

/** All that a reload goes by, and every reason against it. */
export interface ReloadContents {
  snapshot: string;
  plan: ReloadPlan;
  inTheWay: InTheWay;
  /** The target's tables. */
  shapes: ReadonlyMap<string, TableShape>;
  rowHash: RowHashes | undefined;
  /** Encoding that rows travel in. */
  encoding: string;
  obstacles: readonly Obstacle[];
}

/** Freezes the source, compares the structure of both sides, and makes the plan. Writes nothing. */
export async function readReload(run: Run, opened: Opened): Promise<ReloadContents> {
  const { source, control } = opened;
  const snapshot = await stage(run, "snapshot", () => freezeTables(source, run.signal, true));
  return await stage(run, "catalog", async () => {
    const all = await readTables(source);
    const selected = await selectRows(run, source, all);
    const [there, here] = [await readStructure(source), await readStructure(control)];
    const matched = matchTables(all, selected, { source: there.shapes, target: here.shapes });
    for (const { schema, name } of matched.throughTop) {
      warn(
        run,
        "other-partitions",
        `${displayName(schema, name)} has other partitions on the target: all rows that it has there are replaced, through the table at the top.`,
      );
    }
    await tellLargeObjects(run, source);
    const rowHash = run.config.verify === "checksum" ? await hashes(opened) : undefined;
    const input = {
      tables: matched.tables,
      selected,
      shapes: here.shapes,
      binaryObstacle: await binarySafety(opened),
      rowHash,
      sequences: await sequencesToSet(run, opened, selected),
      atomic: run.config.atomic,
      steps: run.steps ?? [],
    };
    const first = buildReloadPlan(input);
    const inTheWay = await readInTheWay(run, opened, { copied: first.rows.copied, shapes: here.shapes });
    const order = run.config.atomic && !inTheWay.replica ? orderByKeys(first.rows.copied, here.shapes, inTheWay) : undefined;
    const plan = order ? buildReloadPlan({ ...input, order: order.places }) : first;
    const obstacles = [
      ...(await unreadableObstacles(source, opened.sourceIdentity.role, plan)),
      ...matched.obstacles,
      ...compareStructure(plan.rows.copied, there, here),
      ...(await rightsObstacles(run, control, { plan, inTheWay, shapes: here.shapes })),
      ...(order?.obstacles ?? []),
    ];
    const encoding = opened.sourceIdentity.encoding;
    return { snapshot, plan, inTheWay, shapes: here.shapes, rowHash, encoding, obstacles };
  });
}

/** Nobody knows which of them the rows name. */
async function tellLargeObjects(run: Run, source: Session): Promise<void> {
  const [row] = await source.query<{ some: boolean }>("SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata) AS some");
  if (row?.some === true)
    info(run, "large-objects-left", "Large objects stay as they are on the target: --mode truncate replaces rows of tables.");
}

/** An extension's own tables hold rows of the extension beside the user's. */
async function selectRows(run: Run, source: Session, all: readonly TableInfo[]): Promise<Set<number>> {
  const selected = await selectTables(source, all, run.config);
  // a ledger is about the database that it is in
  for (const { oid, schema, name } of all) if (schema === "pgditto" && name === "ledger") selected.delete(oid);
  const extensions = all.filter((table) => table.extension !== undefined && selected.has(table.oid));
  for (const { oid } of extensions) selected.delete(oid);
  if (extensions.length > 0) {
    const names = extensions.map(({ schema, name }) => displayName(schema, name)).join(", ");
    info(run, "extension-tables", `Tables of extensions stay as they are: ${names}.`);
  }
  const unselected = all.filter((table) => table.kind === "r" && !selected.has(table.oid) && table.extension === undefined);
  if (unselected.length > 0)
    info(
      run,
      "rows-left-out",
      `${plural(unselected.length, "table")} of the source ${unselected.length === 1 ? "stays" : "stay"} untouched on the target: not selected.`,
    );
  return selected;
}

async function readStructure(session: Session): Promise<Structure> {
  return { shapes: await readTableShapes(session), types: await readUserTypes(session) };
}

/** Both ends have encodings of their own here. */
async function hashes({ source, control, sourceIdentity }: Opened): Promise<RowHashes> {
  const targetEncoding = encodingOf(control);
  return await readRowHashes({ source, target: control }, { sourceEncoding: sourceIdentity.encoding, targetEncoding });
}

function encodingOf(session: Session): string {
  return session.parameters.get("server_encoding") ?? "";
}

async function binarySafety({ source, control }: Opened): Promise<BinaryObstacle> {
  for (const session of [source, control]) {
    const encoding = encodingOf(session);
    if (encoding !== "UTF8") return () => `the ${session.side}'s encoding is ${encoding}`;
  }
  const versions = async (session: Session): Promise<Map<string, string>> => {
    const rows = await session.query<{ name: string; version: string }>(
      "SELECT extname AS name, extversion AS version FROM pg_catalog.pg_extension",
    );
    return new Map(rows.map(({ name, version }) => [name, version]));
  };
  const [there, here] = [await versions(source), await versions(control)];
  return await readBinarySafety(source, (name) => there.get(name) === here.get(name));
}

/** Those of the selected tables' columns; all, where every table is selected. Of the others nobody knows whether they belong to the rows. */
async function sequencesToSet(run: Run, { source, control }: Opened, selected: ReadonlySet<number>): Promise<SequenceInfo[]> {
  const all = (await readSequences(source)).filter(({ extension }) => extension === undefined);
  const used = new Set((await readSequenceUsers(source)).filter(({ table }) => selected.has(table)).map(shapeKey));
  const wanted = leavingOut(run.config).length === 0 ? all : all.filter((sequence) => used.has(shapeKey(sequence)));
  const there = new Set((await readSequences(control)).map(shapeKey));
  const missing = wanted.filter((sequence) => !there.has(shapeKey(sequence)));
  if (missing.length > 0) {
    warn(
      run,
      "sequence-missing",
      `The target has no sequence ${missing.map(({ schema, name }) => displayName(schema, name)).join(", ")}: its value is not set.`,
      "If new rows there take their numbers from a sequence of another name, set that by hand (setval).",
    );
  }
  return wanted.filter((sequence) => there.has(shapeKey(sequence)));
}
