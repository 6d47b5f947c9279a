import { PgdittoError } from "../errors.ts";
import type { AnalyzeTask } from "../plan/task.ts";
import { quoteQualified } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { isTransient } from "../postgres/sqlstate.ts";
import { carryStatistics } from "./carry-statistics.ts";
import { NOTHING_MOVED, type TaskContext, type TaskResult } from "./context.ts";

/**
 * Statistics for the planner. The copy is complete without them: what cannot be analyzed (an index's function that wants another
 * search_path, say) is told, and nothing fails for it.
 */
export async function analyzeRelations(task: AnalyzeTask, context: TaskContext): Promise<TaskResult> {
  const session = await context.target();
  const relations = await carryStatistics(task.relations, context);
  if (relations.length === 0) return NOTHING_MOVED;
  const names = await readAnalyzable(session, relations, context.signal);
  try {
    if (names.length > 0) await session.run(`ANALYZE ${names.join(", ")}`, context.signal);
  } catch (error) {
    if (!isOfTheTable(error, session)) throw error;
    for (const name of names) await analyzeAlone(name, session, context);
  }
  return NOTHING_MOVED;
}

async function analyzeAlone(name: string, session: Session, context: TaskContext): Promise<void> {
  try {
    await session.run(`ANALYZE ${name}`, context.signal);
  } catch (error) {
    if (!isOfTheTable(error, session)) throw error;
    context.warn(
      "not-analyzed",
      `${name} could not be analyzed: ${error.message}`,
      "Its rows are there. Mend that, then ANALYZE it on the target.",
    );
  }
}

/** Not the weather's or the machine's: 53 is a full disk or memory. Class 08 on a living session is about some foreign server. */
function isOfTheTable(error: unknown, session: Session): error is PgdittoError {
  if (!(error instanceof PgdittoError) || error.code !== "server" || !session.alive) return false;
  const { sqlstate = "" } = error;
  return !sqlstate.startsWith("53") && (sqlstate.startsWith("08") || !isTransient(sqlstate));
}

/**
 * ANALYZE of a tree samples the foreign tables in it too: the target would connect to servers that are none of our business and may
 * be out of its reach. The tables of such a tree that are here are analyzed one by one instead. The look into the trees is not for nothing:
 * each of its two recursions clears a hash table as large as work_mem, 76 ms together (measured, PostgreSQL 15, 64 MB).
 */
async function readAnalyzable(session: Session, relations: AnalyzeTask["relations"], signal: AbortSignal): Promise<string[]> {
  const all = relations.map(({ schema, name }) => quoteQualified(schema, name));
  const [foreign] = await session.query("SELECT FROM pg_catalog.pg_foreign_table LIMIT 1", [], signal);
  if (!foreign) return all;
  const rows = await session.query<{ schema: string; name: string }>(
    `
WITH RECURSIVE tree AS (
  SELECT name::pg_catalog.regclass::pg_catalog.oid AS top, name::pg_catalog.regclass::pg_catalog.oid AS oid
  FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name
  UNION SELECT t.top, i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
), below AS (
  SELECT oid AS top, oid FROM tree
  UNION SELECT b.top, i.inhrelid FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid
), abroad AS (
  SELECT b.top FROM below b JOIN pg_catalog.pg_class c ON c.oid = b.oid WHERE c.relkind = 'f'
)
SELECT DISTINCT n.nspname AS schema, c.relname AS name
FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.oid NOT IN (SELECT top FROM abroad) AND (t.oid = t.top OR t.top IN (SELECT top FROM abroad))`,
    [all],
    signal,
  );
  return rows.map(({ schema, name }) => quoteQualified(schema, name));
}
