import { plural } from "../../util/format.ts";
import { askWhoever } from "../confirm-target.ts";
import type { Opened } from "../open.ts";
import type { Run } from "../run.ts";
import type { ReloadContents } from "./read-reload.ts";

/**
 * Rows that are there are replaced only with somebody's word, unless the database is a copy that pgditto has made.
 * @throws PgdittoError `not-confirmed`.
 */
export async function confirmReload(run: Run, { control, existing }: Opened, { inTheWay, plan }: ReloadContents): Promise<void> {
  const { config } = run;
  if (!existing || existing.origin !== undefined || config.yes) return;
  const [row] = await control.query<{ bytes: number }>(
    "SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_table_size(oid)), 0)::pg_catalog.float8 AS bytes FROM pg_catalog.pg_class WHERE oid = ANY ($1::pg_catalog.oid[]) AND pg_catalog.pg_relation_size(oid) > 0",
    [[...inTheWay.filled]],
  );
  const bytes = row?.bytes ?? 0;
  if (bytes === 0) return;
  const tables = plan.rows.copied.length;
  await askWhoever(run, { owner: existing.owner, bytes, tables }, (target) => ({
    message: `The rows of ${plural(tables, "table")} in ${target} would be replaced, and the database was not made by pgditto.`,
    hint: "Replace them with --yes; `pgditto plan` with the same flags shows which.",
  }));
}
