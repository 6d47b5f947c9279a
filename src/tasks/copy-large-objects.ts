import { open } from "node:fs/promises";
import { join } from "node:path";

import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import { PgdittoError } from "../errors.ts";
import type { LargeObjectsTask } from "../plan/task.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { TaskContext, TaskResult } from "./context.ts";
import { folderError } from "./dump-access.ts";
import { type Piece, readPieces, readPiecesOfFile, writePieces } from "./large-object-pieces.ts";

/** Copies a batch of large objects; with a dump folder, into its file or out of it. */
export async function copyLargeObjects(task: LargeObjectsTask, context: TaskContext): Promise<TaskResult> {
  const oids = task.objects.map((object) => object.oid);
  if (!task.file) return await putObjects(task, readPieces(await context.source(), oids, context.signal), context);
  const { dump } = context;
  if (!dump) throw new PgdittoError("internal", "There is no dump folder.");
  const { name, way } = task.file;
  if (way === "in") {
    await using file = await open(join(dump.folder, name));
    return await putObjects(task, readPiecesOfFile(file), context);
  }
  try {
    await using file = await open(join(dump.folder, name), "w", 0o600);
    let bytes = 0;
    for await (const pieces of readPieces(await context.source(), oids, context.signal)) {
      await writePieces(file, pieces);
      bytes += await told(pieces, context);
    }
    await file.sync();
    return { rows: oids.length, bytes };
  } catch (error) {
    throw await folderError(error, dump);
  }
}

/** Makes them with owner, privileges, comment and labels, in one transaction on the target. */
async function putObjects(task: LargeObjectsTask, pieces: AsyncIterable<Piece[]>, context: TaskContext): Promise<TaskResult> {
  const target = await context.target();
  const { signal } = context;
  let bytes = 0;
  let begun = false;
  for await (const some of pieces) {
    const [first] = some;
    if (!begun) await begin(some, task, context);
    else if (first) await target.query("SELECT pg_catalog.lo_put($1, $2, $3)", [first.oid, first.at, first.data], signal);
    begun = true;
    bytes += await told(some, context);
  }
  await target.run(task.objects.flatMap((object) => properties(object, context)).join("; "), signal);
  await target.run("SET LOCAL synchronous_commit = on; COMMIT");
  return { rows: task.objects.length, bytes };
}

async function begin(heads: readonly Piece[], task: LargeObjectsTask, context: TaskContext): Promise<void> {
  const target = await context.target();
  await target.run("BEGIN");
  // what an earlier attempt or an earlier run has committed: an object's data can change without leaving a trace, so the journal is not asked
  await target.query(
    "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = ANY ($1::pg_catalog.oid[])",
    [task.objects.map((object) => object.oid)],
    context.signal,
  );
  await target.query(
    "SELECT pg_catalog.lo_from_bytea(o.oid, o.data) FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.bytea[])) AS o(oid, data)",
    [heads.map((head) => head.oid), heads.map((head) => head.data)],
    context.signal,
  );
}

/** The bytes of these pieces, told to whoever counts and holds back. */
async function told(pieces: readonly Piece[], context: TaskContext): Promise<number> {
  for (const { data } of pieces) {
    context.onBytes(data.length);
    await context.pace?.taken(data.length, context.signal);
  }
  return pieces.reduce((sum, { data }) => sum + data.length, 0);
}

function properties(object: LargeObjectInfo, context: TaskContext): string[] {
  const name = `LARGE OBJECT ${object.oid}`;
  return [
    ...(context.noOwner ? [] : [`ALTER ${name} OWNER TO ${object.owner}`]),
    ...(object.comment === undefined ? [] : [`COMMENT ON ${name} IS ${quoteLiteral(object.comment)}`]),
    ...object.labels.map(({ provider, label }) => `SECURITY LABEL FOR ${quoteIdent(provider)} ON ${name} IS ${quoteLiteral(label)}`),
    ...(context.noAcl ? [] : object.grants),
  ];
}
