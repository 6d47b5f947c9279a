import type { Session } from "../../postgres/session.ts";

/** Something that keeps a constraint from being taken off. */
export interface Dependent {
  /** OID of the constraint that it rests on. */
  constraint: number;
  /** As the server describes it; of a foreign key undefined. */
  what: string | undefined;
  foreignKey: { schema: string; table: string; name: string } | undefined;
}

/** What rests on these constraints or on the indexes behind them and does not go with them; of a foreign key the one at the top. */
export async function readDependents(session: Session, constraints: readonly number[]): Promise<Dependent[]> {
  type Row = { constraint: number; what: string; schema: string | null; table: string | null; name: string | null };
  const rows = await session.query<Row>(
    `
WITH RECURSIVE going AS (
  SELECT oid AS root, oid, conindid, contype FROM pg_catalog.pg_constraint WHERE oid = ANY ($1::pg_catalog.oid[])
  UNION ALL SELECT g.root, c.oid, c.conindid, c.contype FROM going g JOIN pg_catalog.pg_constraint c ON c.conparentid = g.oid
), objects AS (
  SELECT root, 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid AS class, oid FROM going
  UNION ALL SELECT root, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, conindid FROM going WHERE contype IN ('u', 'x')
), resting AS (
  SELECT o.root, d.classid, d.objid, d.objsubid FROM objects o
  JOIN pg_catalog.pg_depend d ON d.refclassid = o.class AND d.refobjid = o.oid AND d.deptype = 'n'
), up AS (
  SELECT c.oid, c.oid AS top, c.conparentid FROM pg_catalog.pg_constraint c
  WHERE c.oid IN (SELECT objid FROM resting WHERE classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass)
  UNION ALL SELECT u.oid, c.oid, c.conparentid FROM up u JOIN pg_catalog.pg_constraint c ON c.oid = u.conparentid
)
SELECT DISTINCT r.root AS constraint, n.nspname AS schema, t.relname AS table, k.conname AS name,
  CASE WHEN k.oid IS NULL THEN pg_catalog.pg_describe_object(r.classid, r.objid, r.objsubid) ELSE '' END AS what
FROM resting r
LEFT JOIN up u ON r.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND u.oid = r.objid AND u.conparentid = 0
LEFT JOIN pg_catalog.pg_constraint k ON k.oid = u.top
LEFT JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE k.oid IS NULL OR k.oid <> ALL ($1::pg_catalog.oid[])
ORDER BY 1, 2, 3, 4, 5`,
    [constraints],
  );
  return rows.map(({ constraint, what, schema, table, name }) => ({
    constraint,
    what: name === null ? what : undefined,
    foreignKey: schema === null || table === null || name === null ? undefined : { schema, table, name },
  }));
}
