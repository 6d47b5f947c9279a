import type { Session } from "../../postgres/session.ts";
import { plural } from "../../util/format.ts";
import { type Run, warn } from "../run.ts";

/** A source with things taken off is copied as it is, without them, and its ledger comes along. One look in the catalog where there is none. */
export async function warnOfLedger(run: Run, source: Session): Promise<void> {
  const [there] = await source.query<{ readable: boolean }>(
    `SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
       AND NOT pg_catalog.row_security_active(c.oid) AS readable
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'pgditto' AND c.relname = 'ledger' AND c.relkind = 'r'`,
  );
  if (!there?.readable) return;
  const [row] = await source.query<{ n: number }>("SELECT count(*)::int AS n FROM pgditto.ledger");
  if (!row || row.n === 0) return;
  warn(
    run,
    "source-ledger",
    `pgditto has taken ${plural(row.n, "thing")} off in the source (constraints, triggers or indexes): the copy will be without them, too.`,
    "Put them back first, with `pgditto repair` and `pgditto constraints restore`, the source given as --target.",
  );
}
