import { quoteQualified } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { inSlices } from "../../util/group-by.ts";
import { type InTheWay, outsideOf } from "./in-the-way.ts";
import type { ReloadContents } from "./read-reload.ts";

/**
 * Readers go on, writers wait (manual 13.3, table 13.2). The tables at the other end of foreign keys too: whoever deletes there a row that a
 * new one refers to would not see it before the commit.
 */
export async function lockSql(session: Session, { inTheWay }: ReloadContents): Promise<string> {
  const rows = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND c.relkind IN ('r', 'p') ORDER BY 1, 2`,
    [[...inTheWay.filled, ...outsideOf(inTheWay)]],
  );
  const names = rows.map(({ schema, name }) => `ONLY ${quoteQualified(schema, name)}`);
  return inSlices(names, 500)
    .map((slice) => `LOCK TABLE ${slice.join(", ")} IN SHARE ROW EXCLUSIVE MODE`)
    .join("; ");
}

/** Triggers disabled and enabled again in the transaction itself: nobody else ever sees them off. */
export function quietSql({ takenOff, mayBeReplica, replica }: InTheWay, to: "off" | "back"): string[] {
  const statements = takenOff.map((trigger) => (to === "off" ? trigger.takeOff : trigger.putBack));
  if (replica || !mayBeReplica) return statements;
  return ["SET LOCAL session_replication_role = replica", ...statements, "SET LOCAL session_replication_role = origin"];
}
