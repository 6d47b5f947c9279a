import type { PgdittoError } from "../../errors.ts";
import { displayIdent } from "../../postgres/quote.ts";
import { withFacts } from "../../postgres/server-error.ts";
import type { Session } from "../../postgres/session.ts";
import { withinMs } from "../../util/wait.ts";
import { ownNames } from "../open.ts";
import type { Run } from "../run.ts";
import { outsideOf } from "./in-the-way.ts";
import type { ReloadContents } from "./read-reload.ts";

/** Milliseconds that the question may take: it is a courtesy. */
const ASKING_MS = 5000;

interface Blocker {
  pid: number | null;
  role: string | null;
  name: string | null;
  state: string | null;
  since: string | null;
  table: string;
}

/** A lock that did not come in time, told with the sessions that hold the tables. */
export async function namingBlockers(run: Run, control: Session, error: PgdittoError, contents: ReloadContents): Promise<PgdittoError> {
  if (error.sqlstate !== "55P03" || error.side !== "target") return error;
  const tables = [...contents.inTheWay.filled, ...outsideOf(contents.inTheWay)];
  const question = control.query<Blocker>(
    `SELECT DISTINCT l.pid, a.usename AS role, a.application_name AS name, a.state, a.xact_start::pg_catalog.text AS since, c.relname AS table
     FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
     WHERE l.granted AND l.relation = ANY ($1::pg_catalog.oid[])
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
       AND NOT COALESCE(pg_catalog.starts_with(a.application_name, $2), false) ORDER BY 6, 1`,
    [tables, ownNames(run)],
  );
  const found = (await withinMs(ASKING_MS, question)) ?? [];
  const lines = found
    .slice(0, 10)
    .map(({ pid, role, name, state, since, table }) =>
      pid === null
        ? `A prepared transaction holds ${displayIdent(table)} (pg_prepared_xacts).`
        : `Backend ${pid} (${[role, name, state].filter((part) => part !== null && part !== "").join(", ")}) holds ${displayIdent(table)}, in a transaction since ${since ?? "?"}.`,
    );
  const [first] = found;
  return withFacts(error, {
    detail: [error.detail, ...lines].filter((line) => line !== undefined).join("\n"),
    hint:
      first?.pid === undefined || first.pid === null
        ? "Somebody had the table in use for longer than pgditto waits. See pg_locks there, and run again."
        : `Somebody has the table in use for longer than pgditto waits. Wait for it, or SELECT pg_terminate_backend(${first.pid}), and run again.`,
  });
}
