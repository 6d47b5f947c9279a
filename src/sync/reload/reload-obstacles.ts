import { readUnreadable } from "../../catalog/requirements.ts";
import { shapeKey, type TableShape } from "../../catalog/table-shapes.ts";
import type { Obstacle } from "../../errors.ts";
import type { ReloadPlan } from "../../plan/reload-plan.ts";
import { displayIdent, displayName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { type FillRights, readFillRights } from "../../target/fill-rights.ts";
import { groupBy } from "../../util/group-by.ts";
import { puttingBackObstacles } from "../ledger/removal-obstacles.ts";
import { readingObstacles } from "../preflight/source-obstacles.ts";
import { STANDBY } from "../preflight/target-obstacles.ts";
import type { Run } from "../run.ts";
import { type InTheWay, outsideOf } from "./in-the-way.ts";

/** What the source's role may not read of that which is reloaded; the rest need not be open to it. */
export async function unreadableObstacles(source: Session, role: string, { rows, after }: ReloadPlan): Promise<Obstacle[]> {
  const read = rows.copied.flatMap((table) => [table, ...(table.parts ?? [])]);
  const names = new Set(read.map(({ schema, name }) => displayName(schema, name)));
  const schemas = new Set(read.map(({ schema }) => displayIdent(schema)));
  const sequences = new Set(
    after.tasks.flatMap((task) => (task.kind === "sequences" ? task.sequences : [])).map(({ schema, name }) => displayName(schema, name)),
  );
  const all = await readUnreadable(source);
  return readingObstacles(
    {
      schemas: all.schemas.filter((name) => schemas.has(name)),
      tables: all.tables.filter((name) => names.has(name)),
      sequences: all.sequences.filter((name) => sequences.has(name)),
      rowSecurity: all.rowSecurity.filter((name) => names.has(name)),
      largeObjects: 0,
    },
    role,
  );
}

interface Look {
  plan: ReloadPlan;
  inTheWay: InTheWay;
  shapes: ReadonlyMap<string, TableShape>;
}

/** What the target's role lacks: for each kind of right one obstacle, with all its tables and the statement that mends it. */
export async function rightsObstacles(run: Run, control: Session, look: Look): Promise<Obstacle[]> {
  const role = displayIdent(run.config.target.user);
  const { plan, inTheWay, shapes } = look;
  const into = plan.rows.copied.flatMap((table) => shapes.get(shapeKey(table))?.oid ?? []);
  const privileges = ["SELECT", "INSERT", run.config.atomic ? "DELETE" : "TRUNCATE"];
  const rights = await readFillRights(control, into, privileges);
  const altered = new Set(inTheWay.takenOff.map(({ table }) => table.oid));
  const [state] = await control.query<{ standby: boolean; create: boolean }>(
    `SELECT pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') OR EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'pgditto') AS create`,
  );
  const found: Obstacle[] = [];
  const add = (code: string, message: string, fix: string): void => void found.push({ code, side: "target", message, fix });
  if (state?.standby === true) found.push(STANDBY);
  const schemas = [...new Set(rights.flatMap(({ closedSchema }) => closedSchema ?? []))];
  if (schemas.length > 0)
    add("no-usage", `Role ${role} may not look into ${schemas.join(", ")}.`, `GRANT USAGE ON SCHEMA ${schemas.join(", ")} TO ${role};`);
  for (const [lacks, tables] of groupBy(
    rights.filter((one) => one.lacks.length > 0),
    (one) => one.lacks.join(", "),
  )) {
    const names = named(tables);
    add("no-write", `Role ${role} has no ${lacks} on ${names} of the target.`, `GRANT ${lacks} ON ${names} TO ${role};`);
  }
  const hidden = rights.filter((one) => one.hidesRows);
  if (hidden.length > 0)
    add(
      "row-security",
      `Row level security hides rows of ${named(hidden)} from role ${role}, which does not own it.`,
      `ALTER ROLE ${role} BYPASSRLS; or connect as its owner.`,
    );
  found.push(
    ...ownershipObstacles(role, await readFillRights(control, [...altered], []), look),
    ...(await puttingBackObstacles(control, inTheWay.takenOff)),
  );
  if (altered.size > 0 && !run.config.atomic && state?.create === false)
    add(
      "no-create",
      `Role ${role} may not create the schema pgditto in the target, where what is taken off is written down.`,
      `GRANT CREATE ON DATABASE ${displayIdent(run.config.target.database)} TO ${role};`,
    );
  if (run.config.atomic)
    found.push(
      ...forcedObstacles(role, look),
      ...(await neighbourObstacles(control, role, look)),
      ...(await ruleObstacles(control, into, look)),
    );
  found.push(...(await sequenceObstacles(control, role, plan)));
  return found;
}

function named(tables: readonly FillRights[]): string {
  return tables.map(({ name }) => name).join(", ");
}

function ownershipObstacles(role: string, altered: readonly FillRights[], { inTheWay }: Look): Obstacle[] {
  const things = groupBy(inTheWay.takenOff, ({ table }) => table.oid);
  return altered
    .filter(({ owns }) => !owns)
    .map(({ oid, name, owner }) => {
      const what = (things.get(oid) ?? []).map((thing) => `${thing.kind.replace("-", " ")} ${displayIdent(thing.name)}`);
      const others = inTheWay.filled.has(oid) ? "" : ", which refers to a table that is reloaded,";
      return {
        code: "not-owner",
        side: "target",
        message: `Role ${role} does not own ${name}${others} and has to take off its ${what.join(", ")}. ${owner} does.`,
        fix: `GRANT ${owner} TO ${role}; or ALTER TABLE ${name} OWNER TO ${role}; or connect as ${owner}.`,
      };
    });
}

function forcedObstacles(role: string, { inTheWay: { rowSecurity } }: Look): Obstacle[] {
  if (rowSecurity.length === 0) return [];
  const names = rowSecurity.map(({ table }) => displayName(table.schema, table.name)).join(", ");
  return [
    {
      code: "atomic",
      side: "target",
      message: `Row level security is forced on ${names}: taking that off would keep readers out until the end.`,
      fix: `ALTER ROLE ${role} BYPASSRLS; or leave out --atomic.`,
    },
  ];
}

/** Tables that are not reloaded, but refer to one that is or are referred to: nobody may write to them either until the commit. */
async function neighbourObstacles(control: Session, role: string, { inTheWay }: Look): Promise<Obstacle[]> {
  const neighbours = await readFillRights(control, outsideOf(inTheWay), ["SELECT", "UPDATE"]);
  const closed = neighbours.filter((one) => one.lacks.length > 0);
  if (closed.length === 0) return [];
  return [
    {
      code: "atomic",
      side: "target",
      message: `Role ${role} may not read and lock ${named(closed)}, whose foreign keys --atomic has to prove.`,
      fix: `GRANT SELECT, UPDATE ON ${named(closed)} TO ${role}; or leave out --atomic.`,
    },
  ];
}

/** A rule would do something else instead of the DELETE, or more; TRUNCATE and COPY know none (manual 41.4). */
async function ruleObstacles(control: Session, tables: readonly number[], { inTheWay }: Look): Promise<Obstacle[]> {
  const rules = await control.query<{ schema: string; table: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS table, r.rulename AS name FROM pg_catalog.pg_rewrite r
     JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND r.ev_type = '4' AND r.ev_enabled = ANY ($2::"char"[]) ORDER BY 1, 2, 3`,
    [tables, inTheWay.replica ? ["A", "R"] : ["A", "O"]],
  );
  if (rules.length === 0) return [];
  const names = rules.map(({ schema, table, name }) => `${displayIdent(name)} of ${displayName(schema, table)}`).join(", ");
  const disable = rules.map(({ schema, table, name }) => `ALTER TABLE ${displayName(schema, table)} DISABLE RULE ${displayIdent(name)};`);
  return [
    {
      code: "atomic",
      side: "target",
      message: `--atomic deletes rows, and rules ON DELETE would act on that: ${names}.`,
      fix: `Leave out --atomic, or disable them meanwhile: ${disable.join(" ")}`,
    },
  ];
}

async function sequenceObstacles(control: Session, role: string, { after }: ReloadPlan): Promise<Obstacle[]> {
  const wanted = after.tasks.flatMap((task) => (task.kind === "sequences" ? task.sequences : []));
  const rows = await control.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND NOT pg_catalog.has_table_privilege(c.oid, 'UPDATE')`,
  );
  const closed = new Set(rows.map(({ schema, name }) => displayName(schema, name)));
  const names = wanted.map(({ schema, name }) => displayName(schema, name)).filter((name) => closed.has(name));
  if (names.length === 0) return [];
  return [
    {
      code: "no-update-sequence",
      side: "target",
      message: `Role ${role} may not set the value of ${names.join(", ")} on the target.`,
      fix: `GRANT UPDATE ON SEQUENCE ${names.join(", ")} TO ${role};`,
    },
  ];
}
