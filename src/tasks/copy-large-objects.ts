import type { LargeObjectInfo } from "../catalog/large-objects.ts";
import type { LargeObjectsTask } from "../plan/task.ts";
import { quoteIdent, quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import type { TaskContext, TaskResult } from "./context.ts";

/** Bytes read of every object of a batch at once; the rest of longer ones follows in `CHUNK`s. */
const FIRST = 64 * 1024;
const CHUNK = 4 * 1024 * 1024;

/** Copies a batch of large objects with owner, privileges, comment and labels, in one transaction on the target. */
export async function copyLargeObjects(task: LargeObjectsTask, context: TaskContext): Promise<TaskResult> {
  const [source, target] = await Promise.all([context.source(), context.target()]);
  const oids = task.objects.map((object) => object.oid);
  const heads = await source.query<{ oid: number; data: Buffer }>(
    `SELECT o.oid, pg_catalog.lo_get(o.oid, 0, ${FIRST}) AS data FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS o(oid)`,
    [oids],
    context.signal,
  );
  await target.run("BEGIN");
  // what an earlier attempt or an earlier run has committed: an object's data can change without leaving a trace, so the journal is not asked
  await target.query(
    "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = ANY ($1::pg_catalog.oid[])",
    [oids],
    context.signal,
  );
  await target.query(
    "SELECT pg_catalog.lo_from_bytea(o.oid, o.data) FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.bytea[])) AS o(oid, data)",
    [heads.map((head) => head.oid), heads.map((head) => head.data)],
    context.signal,
  );
  let bytes = 0;
  for (const head of heads) {
    bytes += head.data.length;
    context.onBytes(head.data.length);
    await context.pace?.taken(head.data.length, context.signal);
    if (head.data.length === FIRST) bytes += await copyTail(head.oid, source, target, context);
  }
  await target.run(task.objects.flatMap((object) => properties(object, context)).join("; "), context.signal);
  await target.run("SET LOCAL synchronous_commit = on; COMMIT");
  return { rows: task.objects.length, bytes };
}

async function copyTail(oid: number, source: Session, target: Session, context: TaskContext): Promise<number> {
  let at = FIRST;
  for (;;) {
    const [row] = await source.query<{ data: Buffer }>("SELECT pg_catalog.lo_get($1, $2, $3) AS data", [oid, at, CHUNK], context.signal);
    if (!row || row.data.length === 0) break;
    await target.query("SELECT pg_catalog.lo_put($1, $2, $3)", [oid, at, row.data], context.signal);
    at += row.data.length;
    context.onBytes(row.data.length);
    await context.pace?.taken(row.data.length, context.signal);
    if (row.data.length < CHUNK) break;
  }
  return at - FIRST;
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
